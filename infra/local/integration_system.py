"""Integration systems: the administrator registers them, and with their credentials they get tokens."""

import base64
import json
import time
import urllib.parse
from dataclasses import dataclass, field

from .api import Answer, Api, Refused
from .console import Problem
from .place import Place

SCOPES = "integration:read integration:write sync:trigger record:read record:write"
# Where the demo leaves a client, as curl reads it.
CLIENT = "client.curl"
# How much of its life a token must have left to be used once more, in seconds.
MARGIN = 60


class Declined(Problem):
    """An answer that names errors."""

    def __init__(self, errors: list[dict]):
        super().__init__("; ".join(error["message"] for error in errors))
        self.codes = [error.get("extensions", {}).get("error_code") for error in errors]


@dataclass(frozen=True)
class Credential:
    """What a system gets tokens with."""

    id: str
    secret: str = field(repr=False)
    url: str


@dataclass(frozen=True)
class Token:
    """A token, what it allows, for how many seconds, and since when on our clock."""

    value: str = field(repr=False)
    scopes: str
    seconds: int
    since: float

    def lives(self) -> bool:
        return time.monotonic() < self.since + self.seconds - MARGIN


def ask(api: Api, document: str):
    """Asks the registry for the one field that a document calls `result`."""
    answer = api.post("/graphql", {"query": document})
    if "errors" in answer:
        raise Declined(answer["errors"])
    return answer["data"]["result"]


def register(api: Api, name: str, description: str | None = None) -> dict:
    """Registers a system, and returns its id and its name."""
    wish = f"name: {json.dumps(name)}, description: {json.dumps(description)}"
    return ask(api, f"mutation {{ result: registerIntegrationSystem(in: {{{wish}}}) {{ id name }} }}")


def unregister(api: Api, system: str) -> None:
    ask(api, f"mutation {{ result: unregisterIntegrationSystem(id: {json.dumps(system)}) {{ id }} }}")


def request_credential(api: Api, system: str, organizations: list[str] | None = None) -> Credential:
    """Has a credential issued, for all organizations or for some."""
    limits = "" if organizations is None else f", organizations: {json.dumps(organizations)}"
    shown = "id auth { credential { ... on OAuthCredentialData { clientId clientSecret url } } }"
    issued = ask(api, f"""mutation {{
        result: requestClientCredentialsForIntegrationSystem(id: {json.dumps(system)}{limits}) {{ {shown} }}
    }}""")
    credential = issued["auth"]["credential"]
    return Credential(credential["clientId"], credential["clientSecret"], credential["url"])


def delete_credential(api: Api, credential: Credential) -> None:
    ask(api, f"mutation {{ result: deleteSystemAuthForIntegrationSystem(authID: {json.dumps(credential.id)}) {{ id }} }}")


def ask_for_token(credential: Credential, scopes: str) -> Answer:
    """Sends what a client sends for a token, and returns the answer, whatever it is."""
    basic = base64.b64encode(f"{credential.id}:{credential.secret}".encode()).decode()
    form = {"grant_type": "client_credentials", **({"scope": scopes} if scopes else {})}
    return Api(credential.url, {"Authorization": f"Basic {basic}"}).ask(
        "POST", "", urllib.parse.urlencode(form), content_type="application/x-www-form-urlencoded"
    )


def token(credential: Credential, scopes: str = SCOPES) -> Token:
    asked = time.monotonic()
    answer = ask_for_token(credential, scopes)
    if answer.status != 200:
        raise Refused(f"POST {credential.url}", answer)
    return Token(answer.json["access_token"], answer.json["scope"], answer.json["expires_in"], asked)


class Tokens:
    """The token of a credential, and the next one once that nears its end."""

    def __init__(self, credential: Credential, scopes: str = SCOPES):
        self._credential, self._scopes = credential, scopes
        self._token = token(credential, scopes)

    def current(self) -> Token:
        if not self._token.lives():
            self._token = token(self._credential, self._scopes)
        return self._token


@dataclass(frozen=True)
class SystemApi(Api):
    """Sends requests as an integration system."""

    tokens: Tokens | None = None

    @classmethod
    def of(cls, place: Place, tokens: Tokens) -> "SystemApi":
        return cls(place.state()["api"], tokens=tokens)

    def ask(self, method: str, path: str, body=None, **headers: str) -> Answer:
        named = {"Authorization": f"Bearer {self.tokens.current().value}", **headers}
        return super().ask(method, path, body, **named)


def note(place: Place, credential: Credential) -> None:
    """Keeps a client's id and secret in a file that curl reads, so that tokens can be had by hand."""
    place.write(CLIENT, f'user = "{credential.id}:{credential.secret}"\n')
    place.note(token_url=credential.url)


def forget(place: Place) -> None:
    place.path(CLIENT).unlink(missing_ok=True)
    place.note(token_url=None)
