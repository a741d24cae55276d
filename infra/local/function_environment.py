"""Says, for a shell, what a deployed function has in its environment, so that it can be run by hand."""

import shlex

from . import deploy, emulator, template as templates
from .console import Problem
from .place import Place


def show(place: Place, function: str) -> None:
    """Prints a line for each variable, to be taken over with `eval`."""
    packages = templates.packages(templates.load())
    if function not in packages:
        raise Problem(f"there is no function {function}; there are {', '.join(packages)}.")
    client = emulator.client(place, "lambda")
    told = client.get_function_configuration(FunctionName=f"{deploy.NAME}-{function}")["Environment"]["Variables"]
    local = {
        "AWS_ENDPOINT_URL": client.meta.endpoint_url,
        "AWS_REGION": client.meta.region_name,
        "AWS_ACCESS_KEY_ID": emulator.ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": emulator.ROOT_SECRET,
    }
    for name, value in {**local, **told}.items():
        print(f"export {name}={shlex.quote(value)}")
