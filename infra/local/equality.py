"""Compares both sides, record by record and field by field."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from . import organization, simulator
from .api import Api
from .organization import Organization
from .place import Place

SHOWN = 10


@dataclass
class Comparison:
    """What was compared, and every difference that was found."""

    records: dict[str, int] = field(default_factory=dict)
    fields: int = 0
    differences: list[str] = field(default_factory=list)

    def told(self) -> str:
        shown = "\n".join(f"  {difference}" for difference in self.differences[:SHOWN])
        return f"the two sides differ in {len(self.differences)} places; the first of them:\n{shown}"


def compare(place: Place, api: Api, owner: Organization) -> Comparison:
    """Reads everything from both sides and compares it."""
    with ThreadPoolExecutor() as pool:
        listed = (f"{owner.path}/{kind}" for kind in ("members", "memberships"))
        members, memberships = pool.map(lambda path: list(api.items(path)), listed)
    ids = {member["links"]["dynamics365"]: member["id"] for member in members if "dynamics365" in member["links"]}
    contacts = {row["contactid"]: organization.as_member(row) for row in simulator.rows(place, "contacts")}
    owned = {row["hlf_membershipid"]: organization.as_membership(row, ids) for row in simulator.rows(place, "hlf_memberships")}
    found = Comparison()
    _compare_kind(found, "member", members, contacts)
    _compare_kind(found, "membership", memberships, owned)
    return found


def _compare_kind(found: Comparison, kind: str, records: list[dict], expected: dict[str, dict]) -> None:
    found.records[kind] = len(records)
    linked = {record["links"].get("dynamics365"): record for record in records}
    for guid in expected.keys() - linked.keys():
        # What is out of use there need not have ever been here.
        if expected[guid]["active"]:
            found.differences.append(f"{kind} {guid} is only in Dynamics 365")
    for guid, record in linked.items():
        if guid not in expected:
            found.differences.append(f"{kind} {record['id']} is only on the platform")
        else:
            _compare_fields(found, f"{kind} {record['id']}", record, expected[guid])


def _compare_fields(found: Comparison, what: str, record: dict, expected: dict) -> None:
    for name, value in expected.items():
        found.fields += 1
        here = record.get(name, True if name == "active" else None)
        if here != value:
            found.differences.append(f"{what}: {name} is {here!r} on the platform and {value!r} in Dynamics 365")
