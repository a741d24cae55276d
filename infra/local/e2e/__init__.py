"""Tests that see the whole service: its template, its binaries, and a simulated Dynamics 365, over HTTP."""
