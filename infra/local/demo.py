"""The main job, shown: a system is registered, and with its token an organization is connected, synced, changed on both
sides, and equal again."""

import argparse
import json
from itertools import islice

from . import equality, integration_system, result_events, runs, simulator, stack
from .api import Api
from .console import Problem, heading, say, step
from .integration_system import SystemApi, Tokens
from .organization import DEMO, connection
from .place import ROOT, Place

EDITS = 100
SYSTEM = "membership-platform"
QUERY = '{"query": "{ integrationSystems { data { id name description } } }"}'


def run(place: Place, options: argparse.Namespace) -> None:
    """Tells the story from an empty stack, and leaves the stack running."""
    stack.up(place, options, afresh=True)
    api = _register(place)
    _connect(place, api)
    _first_sync(api)
    _change_both_sides(place, api)
    _dry_run(place, api)
    _delta_sync(api)
    _prove(place, api)
    _show_events(place)
    show_addresses(place)


def _register(place: Place) -> Api:
    heading("Registering an integration system")
    administrator = Api.administrator(place)
    system = integration_system.register(administrator, SYSTEM, "Keeps the members of its organizations in step.")
    say(f"registerIntegrationSystem: {system['name']} is {system['id']}")
    credential = integration_system.request_credential(administrator, system["id"])
    integration_system.note(place, credential)
    say(f"requestClientCredentialsForIntegrationSystem: client {credential.id}, a secret of {len(credential.secret)} characters")
    tokens = Tokens(credential)
    token = tokens.current()
    say(f"POST {credential.url}: a token of {len(token.value)} characters, for {token.seconds} s")
    say(f"which allows {token.scopes}; all that follows is done with it")
    return SystemApi.of(place, tokens)


def _connect(place: Place, api: Api) -> None:
    heading("Connecting the organization with its Dynamics 365")
    answer = api.ask("PUT", DEMO.integration, connection(place))
    if answer.status != 201:
        raise Problem(f"the integration was not made: {answer.status} {answer.text}")
    say(f"PUT {DEMO.integration}: {answer.status}")
    tested = api.post(f"{DEMO.integration}/test")
    for finding in tested["findings"]:
        say(f"{'ok' if finding['works'] else 'NO':4} {finding['question']}: {finding['answer']}")
    if not tested["works"]:
        raise Problem("the connection does not work.")


def _first_sync(api: Api) -> None:
    heading("First sync: everything is read")
    _expect(runs.sync(api, DEMO), "succeeded")


def _change_both_sides(place: Place, api: Api) -> None:
    heading("Changes on both sides")
    edits = simulator.edit(place, EDITS)
    say("in Dynamics 365: " + ", ".join(f"{count} {what}" for what, count in edits.items()))
    say("on the platform: " + ", ".join(f"{count} {what}" for what, count in _change_platform(api).items()))


def _change_platform(api: Api) -> dict[str, int]:
    members = islice((member for member in api.items(f"{DEMO.path}/members") if member["links"]), 50)
    moved = [{"id": member["id"], **_fields(member), "city": "Lillehammer", "postalCode": "2609"} for member in members]
    added = [{"id": f"90000{n}", "firstName": "Ny", "lastName": "Medlem", "email": f"ny{n}@example.org"} for n in range(3)]
    api.bulk(f"{DEMO.path}/members/bulk", moved + added)
    for member in added:
        membership = {"memberId": member["id"], "type": "Hovedmedlem", "status": "Aktiv", "from": "2026-01-01"}
        api.put(f"{DEMO.path}/memberships/M-{member['id']}", membership)
    _delete_member(api)
    return {"members changed": len(moved), "members and memberships created": len(added), "member deleted": 1}


def _delete_member(api: Api) -> None:
    membership = next(api.items(f"{DEMO.path}/memberships"))
    for path in (f"memberships/{membership['id']}", f"members/{membership['memberId']}"):
        answer = api.ask("DELETE", f"{DEMO.path}/{path}")
        if answer.status != 204:
            raise Problem(f"{path} was not deleted: {answer.status} {answer.text}")


def _dry_run(place: Place, api: Api) -> None:
    heading("Dry run: what would happen")
    before = _writes(place)
    _expect(runs.sync(api, DEMO, dryRun=True), "succeeded")
    if (after := _writes(place)) != before:
        raise Problem(f"the dry run wrote to Dynamics 365: {after - before} writes.")
    say("nothing was written on either side")


def _delta_sync(api: Api) -> None:
    heading("Delta sync: only what has changed")
    _expect(runs.sync(api, DEMO), "succeeded")


def _prove(place: Place, api: Api) -> None:
    heading("Are both sides equal?")
    with step("Comparing every record, field by field") as note:
        found = equality.compare(place, api, DEMO)
        counted = " and ".join(f"{count:,} {kind}s" for kind, count in found.records.items())
        note(f"{counted}, {found.fields:,} fields, {len(found.differences)} differences")
    if found.differences:
        raise Problem(found.told())


def _show_events(place: Place) -> None:
    heading("What the rest of the platform was told")
    events = result_events.take(place)
    for event in events:
        detail = event["detail"]
        kind = "dry run" if detail["dryRun"] else f"{detail['mode']} sync"
        say(f"{event['detail-type']} no. {detail['sequence']}: {kind} {detail['outcome']}, run {detail['runId']}")
    if not events:
        raise Problem("no result event arrived on the bus.")


def show_addresses(place: Place) -> None:
    """Says what to try next; the files that curl reads hold the administrator's token, and a client's id and secret."""
    base, token = place.state()["api"], place.path("authorization").relative_to(ROOT)
    heading("It is running; to try next:")
    for path in ("/openapi.json", DEMO.integration, f"{DEMO.path}/members?limit=3"):
        say(f"curl -H @{token} '{base}{path}'")
    say(f"curl -H @{token} -X POST '{base}{DEMO.integration}/sync'")
    say(f"curl -H @{token} -H 'Content-Type: application/json' -d '{QUERY}' '{base}/graphql'")
    if (client := place.path(integration_system.CLIENT)).exists():
        form = "-d grant_type=client_credentials -d scope=record:read"
        say(f"curl -K {client.relative_to(ROOT)} {form} '{place.state()['token_url']}'")
    say(f"curl '{simulator.control(place).base}/_simulator/counters'")
    say("infra/stack logs dynamics365    what a function logged")
    say("infra/stack down                take everything down again")


def _expect(run: dict, state: str) -> None:
    runs.show(run)
    if run["state"] != state:
        raise Problem(f"the run {run['state']} instead of {state}: {_one_line(run.get('failure') or run['totals'])}")


def _writes(place: Place) -> int:
    counters = simulator.control(place).get("/_simulator/counters")
    return sum(counters[what] for what in ("created", "updated", "deleted"))


def _fields(record: dict) -> dict:
    return {name: value for name, value in record.items() if name not in ("id", "links", "modifiedAt", "modifiedBy")}


def _one_line(value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
