"""Reads `template.yaml`, with CloudFormation's short forms written out."""

from pathlib import Path

import yaml

from .place import ROOT

TEMPLATE = ROOT / "template.yaml"


class _Loader(yaml.SafeLoader):
    """Gives `!Ref X` as `{"Ref": "X"}`, and the like."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def load(path: Path = TEMPLATE) -> dict:
    return parse(path.read_text())


def parse(text: str) -> dict:
    return yaml.load(text, _Loader)


def of_type(template: dict, kind: str) -> dict[str, dict]:
    """Returns the properties of the resources of a type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def functions(template: dict) -> dict[str, dict]:
    return of_type(template, "AWS::Serverless::Function")


def package(function: dict) -> str:
    """Returns the package, and so the binary, that a function is built from."""
    return Path(function["CodeUri"]).name


def systems(template: dict) -> list[str]:
    """Returns the packages of the functions that work with a system: those that a queue wakes."""
    return [package(function) for function in functions(template).values()
            if any(event["Type"] == "SQS" for event in function.get("Events", {}).values())]


def packages(template: dict) -> list[str]:
    """Returns the packages of all functions."""
    return [package(function) for function in functions(template).values()]
