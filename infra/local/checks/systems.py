"""Systems: what one of them has, each of them has, and the same of it."""

import json
import re
from collections import Counter
from collections.abc import Iterator

from ..place import ROOT
from .lookup import functions
from .references import references

SYSTEMS = ROOT / "shared" / "src" / "model" / "ids.rs"
# What a person reads may name the system in its own words.
READ = ("Description",)
# What only a system that keeps books has.
OF_BOOKS = ("ExportReimbursementsRoute", "UnsettledExports", "DifferingBooks", "SpentRequests")


def every_system_has_a_function(template: dict) -> Iterator[str]:
    for prefix in _systems():
        if f"{prefix}Function" not in functions(template):
            yield f"there is no {prefix}Function"


def what_one_system_has_all_have(template: dict) -> Iterator[str]:
    parts = {prefix: _part(template, prefix, name) for prefix, name in _systems().items()}
    first, *others = parts
    for other in others:
        for suffix in sorted(parts[first].keys() | parts[other].keys()):
            if parts[first].get(suffix) != parts[other].get(suffix):
                yield f"{first}{suffix} and {other}{suffix} are not alike"


def what_is_shared_treats_all_systems_alike(template: dict) -> Iterator[str]:
    systems = _systems()
    places = {**template["Resources"], "Outputs": template.get("Outputs", {})}
    for place, content in places.items():
        if place in OF_BOOKS or _owner(place, systems):
            continue
        seen = {prefix: Counter() for prefix in systems}
        for reference in references(content):
            if owner := _owner(reference, systems):
                seen[owner][reference.removeprefix(owner)] += 1
        first, *others = seen
        yield from (f"{place} does not refer to {other} as it does to {first}" for other in others
                    if seen[other] != seen[first])


def _systems() -> dict[str, str]:
    """Returns the names of the systems, by what the names of their resources begin with."""
    source = SYSTEMS.read_text()
    return {name.capitalize(): name for name in re.findall(r'Self::\w+ => "(\w+)",', source)}


def _owner(name: str, systems: dict[str, str]) -> str | None:
    return next((prefix for prefix in systems if re.match(rf"{prefix}[A-Z]", name)), None)


def _part(template: dict, prefix: str, name: str) -> dict[str, dict]:
    """Returns what belongs to a system, by the rest of its name, and without the system's name in it."""
    return {logical.removeprefix(prefix): _nameless(resource, prefix, name)
            for logical, resource in template["Resources"].items() if _owner(logical, {prefix: name})}


def _nameless(resource: dict, prefix: str, name: str) -> dict:
    properties = {key: part for key, part in resource.get("Properties", {}).items() if key not in READ}
    text = json.dumps({**resource, "Properties": properties})
    for each in (prefix, name, name.upper()):
        text = text.replace(each, "{system}")
    return json.loads(text)


RULES = [
    every_system_has_a_function,
    what_one_system_has_all_have,
    what_is_shared_treats_all_systems_alike,
]
