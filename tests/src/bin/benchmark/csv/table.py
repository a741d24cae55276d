"""The table that every contender writes and reads, and what each says in the end."""

import datetime
import time

HEADER = [
    "Referanse", "Navn", "Tekst", "Konto", "Avdeling", "Beløp", "Mva", "Antall", "Dato", "Betalt", "KID", "Type",
]
NAMES = ["Åse Bjørk-Ødegård", "O'Brien", "李小龍", "Kari"]
KINDS = ["reise", "kurs", "utlegg"]
DAYS = [datetime.date(2026, 1, 1) + datetime.timedelta(days=day) for day in range(365)]


def text(row):
    if row % 10 == 0:
        return f'Reise; "tur" {row}'
    if row % 10 == 1:
        return f"=1+{row}"
    return f"Utlegg {row}"


def amount(row):
    """In øre."""
    return row * 7919 % 2_000_000 - 1_000_000


def vat(row):
    """In øre."""
    return row * 31 % 25_000


def say(began, rows, cents):
    seconds = time.perf_counter() - began
    with open("/proc/self/status", encoding="ascii") as status:
        peak = next(line for line in status if line.startswith("VmHWM:"))
    print(seconds, 1024 * int(peak.split()[1]), rows, cents)
