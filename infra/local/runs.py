"""Starts runs, and watches them until they end."""

import time

from .api import Api
from .console import Problem, clear, progress, say
from .organization import Organization

ENDED = ("succeeded", "partial", "failed", "cancelled")


def sync(api: Api, organization: Organization, **options) -> dict:
    """Starts a run of the integration and returns it once it has ended."""
    return watch(api, organization, start(api, organization, **options))


def start(api: Api, organization: Organization, **options) -> str:
    """Starts a run and returns its id."""
    return api.post(f"{organization.integration}/sync", options)["runId"]


def watch(api: Api, organization: Organization, run_id: str, seconds: float = 600) -> dict:
    """Shows how far a run is until it has ended."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        run = api.get(f"{organization.integration}/runs/{run_id}")
        if run["state"] in ENDED:
            clear()
            return run
        progress(f"{run['state']}: {_done(run)} ({passed:.0f} s)")
        time.sleep(0.5)
    raise Problem(f"the run {run_id} has not ended within {seconds:.0f} s; it is {run['state']}.")


def show(run: dict) -> None:
    """Says what a run did, by kind, and what it cost."""
    say(f"{run['state']}" + (f": {run['failure']['message']}" if run.get("failure") else ""))
    for kind, totals in run["totals"].items():
        counted = ", ".join(f"{_words(name)} {count:,}" for name, count in totals.items() if count)
        say(f"{kind + 's':12} {counted or 'nothing to do'}")
    say(f"{'cost':12} {_cost(run['cost'])}")


def _done(run: dict) -> str:
    parts = (f"{kind}s {totals.get('read', 0):,} read, {totals.get('sent', 0):,} sent"
             for kind, totals in run["totals"].items())
    return "; ".join(parts) or "nothing yet"


def _cost(cost: dict) -> str:
    return (f"{cost['requests']:,} requests, {cost['bytesReceived'] / 1e6:.1f} MB received, "
            f"{cost['rowsRead']:,} rows read, {cost['rowsWritten']:,} rows written, "
            f"{cost['slices']} slices, {cost['milliseconds'] / 1000:.1f} s of work")


def _words(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
