"""References: each points to something that is there."""

import re
from collections.abc import Iterator
from typing import Any


def every_reference_resolves(template: dict) -> Iterator[str]:
    known = {*template["Resources"], *template.get("Parameters", {})}
    for name, resource in template["Resources"].items():
        for reference in references(resource):
            if reference not in known and not reference.startswith("AWS::"):
                yield f"{name} refers to {reference}, which is not there"


def every_parameter_is_used(template: dict) -> Iterator[str]:
    used = set(references({key: part for key, part in template.items() if key != "Parameters"}))
    yield from (f"nothing uses {name}" for name in template.get("Parameters", {}) if name not in used)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for part in value:
            yield from references(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key == "Ref":
                yield part
            elif key == "Fn::GetAtt":
                yield part[0]
            elif key == "Fn::Sub":
                yield from _names_in(part if isinstance(part, str) else part[0])
            else:
                yield from references(part)


def _names_in(text: str) -> list[str]:
    return [name.split(".")[0] for name in re.findall(r"\$\{([^!}][^}]*)\}", text)]


RULES = [every_reference_resolves, every_parameter_is_used]
