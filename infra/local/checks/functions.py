"""Functions, and what they are told."""

import re
from collections.abc import Iterator

from ..place import ROOT
from .lookup import functions, package, packages, role_of, target, texts

CONFIG = ROOT / "shared" / "src" / "config.rs"
# A package of its own there, and no function: what the functions share about Lambda.
SHARED = {"lambda"}


def every_package_is_a_function(template: dict) -> Iterator[str]:
    built = {path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml")} - SHARED
    deployed = set(packages(template))
    yield from (f"functions/{name} is not in the template" for name in sorted(built - deployed))
    yield from (f"there is no functions/{name}" for name in sorted(deployed - built))


def every_variable_is_read_and_every_read_one_is_set(template: dict) -> Iterator[str]:
    read = _variables_read()
    for name, function in functions(template).items():
        given = set(function.get("Environment", {}).get("Variables", {}))
        wanted = read.get(package(function), set())
        yield from (f"{name} is given {each}, which it does not read" for each in sorted(given - wanted))
        yield from (f"{name} reads {each}, which it is not given" for each in sorted(wanted - given))


def local_variables_stay_local(template: dict) -> Iterator[str]:
    keys = {key for function in functions(template).values()
            for key in function.get("Environment", {}).get("Variables", {})}
    everything = keys | set(texts(template))
    for name in _local_only():
        if any(name in text for text in everything):
            yield f"{name} is for the local stack only and stands in the template"


def every_function_has_a_role_of_its_own(template: dict) -> Iterator[str]:
    seen: dict[str | None, str] = {}
    for name, function in functions(template).items():
        role = role_of(function)
        if role is None or role in seen:
            yield f"{name} has no role of its own"
        seen[role] = name


def every_function_logs_where_logs_expire(template: dict) -> Iterator[str]:
    for name, function in functions(template).items():
        logs = target(function.get("LoggingConfig", {}).get("LogGroup"))
        properties = template["Resources"].get(logs, {}).get("Properties", {})
        if "RetentionInDays" not in properties:
            yield f"{name} does not log to a group of this template that has a retention"
        elif not str(properties["LogGroupName"]).endswith(f"-{package(function)}'}}"):
            yield f"{name} logs under the name of another function"


def _variables_read() -> dict[str, set[str]]:
    """Reads, from the one reader of the environment, what each package reads."""
    source = CONFIG.read_text()
    constants = dict(re.findall(r'const (\w+): &str = "(\w+)";', source))
    lists = re.findall(r"impl (\w+) \{\s*const VARIABLES: &\[&str\] = &\[(.*?)\];", source, re.DOTALL)
    by_type = {owner: {constants[name] for name in re.findall(r"\w+", names)} for owner, names in lists}
    read = {name: by_type[owner] for name, owner in re.findall(r'\("([\w-]+)", (\w+)::VARIABLES\)', source)}
    # The functions of systems read the same, but for their own queue.
    (shared,) = re.findall(r"const fn variables\(queue: .*?\{\s*\[(.*?)\]\s*\}", source, re.DOTALL)
    of_systems = re.findall(r'\("([\w-]+)", &\w+::variables\((\w+)\)\)', source)
    for name, queue in of_systems:
        read[name] = {constants[each] for each in re.findall(r"[A-Z]\w+", shared)} | {constants[queue]}
    return read


def _local_only() -> list[str]:
    listed = re.search(r"LOCAL_ONLY: &\[&str\] = &\[(.*?)\];", CONFIG.read_text(), re.DOTALL)
    return re.findall(r"\w+", listed[1]) if listed else []


RULES = [
    every_package_is_a_function,
    every_variable_is_read_and_every_read_one_is_set,
    local_variables_stay_local,
    every_function_has_a_role_of_its_own,
    every_function_logs_where_logs_expire,
]
