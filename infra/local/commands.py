"""The commands of `infra/stack`."""

import argparse

from . import environment, oauth2_server
from .console import Problem, fail, say
from .place import DEMO


def main(arguments: list[str]) -> int:
    """Runs a command; says in a sentence why it could not."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "oauth2-server":
            oauth2_server.enter()
        elif options.command not in ("down", "status"):
            environment.enter()
        elif not environment.enter_if_made():
            say("nothing was ever started here")
            return 0 if options.command == "down" else 1
        return COMMANDS[options.command](options) or 0
    except Problem as problem:
        fail(str(problem))
        return 1
    except KeyboardInterrupt:
        fail("interrupted; `infra/stack down` takes down what runs")
        return 130


def _demo(options: argparse.Namespace) -> None:
    from . import demo

    with DEMO.alone():
        demo.run(DEMO, options)


def _up(options: argparse.Namespace) -> None:
    from . import demo, stack

    with DEMO.alone():
        stack.up(DEMO, options)
        demo.show_addresses(DEMO)


def _down(_: argparse.Namespace) -> None:
    from . import stack

    with DEMO.alone():
        stack.down(DEMO)


def _status(_: argparse.Namespace) -> int:
    from . import stack

    return stack.status(DEMO)


def _logs(options: argparse.Namespace) -> None:
    from . import logs

    logs.show(DEMO, options.function, options.minutes)


def _environment(options: argparse.Namespace) -> None:
    from . import function_environment

    function_environment.show(DEMO, options.function)


def _check(_: argparse.Namespace) -> int:
    from . import check

    return check.run()


def _oauth2_server(options: argparse.Namespace) -> None:
    oauth2_server.run(options)


def _test(options: argparse.Namespace) -> int:
    from . import suite

    return suite.run(options)


COMMANDS = {
    "demo": _demo,
    "up": _up,
    "down": _down,
    "status": _status,
    "logs": _logs,
    "environment": _environment,
    "check": _check,
    "oauth2-server": _oauth2_server,
    "test": _test,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/stack", description="Runs the whole service on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="show the main job: members are kept equal with a simulated Dynamics 365")
    up = commands.add_parser("up", help="build and deploy; leave everything running")
    for command in (demo, up):
        _add_stack_options(command, contacts=10_000)
    commands.add_parser("down", help="take down everything that `demo` or `up` left running")
    commands.add_parser("status", help="say what runs, and where")
    logs = commands.add_parser("logs", help="show what the functions logged")
    logs.add_argument("function", nargs="?", help="the package of one function, such as dynamics365")
    logs.add_argument("--minutes", type=float, default=10, help="how far to look back (%(default)s)")
    told = commands.add_parser("environment", help="print what a deployed function is told, for a shell's eval")
    told.add_argument("function", help="the package of the function, such as trigger-sync")
    commands.add_parser("check", help="check template.yaml")
    server = commands.add_parser("oauth2-server", help="run an OAuth2 server for tests until its parent ends")
    server.add_argument("--api", required=True, choices=oauth2_server.APIS, help="the admin API of which Ory Hydra")
    server.add_argument("--port", type=int, default=0, help="the port of the token endpoint (any that is free)")
    server.add_argument("--admin-port", type=int, default=0, help="the port of the admin API (any that is free)")
    test = commands.add_parser("test", help="run every check and test there is, the quick ones first")
    test.add_argument("--profile", default="dev", help="the cargo profile for the end-to-end tests (%(default)s)")
    test.add_argument("--contacts", type=int, default=1_500, help="how many contacts they sync (%(default)s)")
    test.add_argument("--only-end-to-end", action="store_true", help="leave out what needs no deployed stack")
    test.add_argument("--matching", default="", help="run only the end-to-end tests with this in their names")
    return parser


def _add_stack_options(parser: argparse.ArgumentParser, contacts: int) -> None:
    parser.add_argument("--contacts", type=int, default=contacts, help="how many the simulated system has (%(default)s)")
    parser.add_argument("--profile", default="dev", help="the cargo profile to build with (%(default)s)")
    parser.add_argument("--port", type=int, help="the port of the emulator (4566, or another if that is taken)")
    parser.add_argument("--simulator-port", type=int, help="the port of the simulated system (7365, or another)")
