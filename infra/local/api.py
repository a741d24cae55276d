"""A small client for the HTTP API, and for anything else here that speaks JSON."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .console import Problem
from .place import Place

# No proxy: everything that is asked here runs on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url: str) -> bool:
    """Says whether something answers there by now."""
    try:
        with _OPENER.open(url, timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


class Refused(Problem):
    """An answer that was not the one to go on with."""

    def __init__(self, request: str, answer: "Answer"):
        super().__init__(f"{request} was answered {answer.status}: {answer.text[:1500]}")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Api:
    """Sends requests to one origin, as one caller."""

    base: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def anonymous(cls, place: Place) -> "Api":
        return cls(place.state()["api"])

    @classmethod
    def administrator(cls, place: Place) -> "Api":
        name, value = place.path("authorization").read_text().strip().split(": ", 1)
        return cls(place.state()["api"], {name: value})

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Sends a request and returns the answer, whatever it is."""
        text = isinstance(body, str)
        payload = None if body is None else (body if text else json.dumps(body)).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {} if payload is None else {"content-type": "application/x-ndjson" if text else "application/json"}
        request = urllib.request.Request(
            self.base + path, payload, {**self.headers, **kind, **named}, method=method
        )
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return _answer(answer)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error)
        except OSError as error:
            raise Problem(f"{method} {self.base}{path} got no answer: {error}") from None

    def status(self, method: str, path: str) -> int:
        return self.ask(method, path).status

    def get(self, path: str) -> Any:
        return self._insist("GET", path).json

    def put(self, path: str, body: Any) -> Any:
        return self._insist("PUT", path, body).json

    def post(self, path: str, body: Any = None) -> Any:
        return self._insist("POST", path, body).json

    def bulk(self, path: str, records: list[dict]) -> None:
        """Puts many records, and insists on each."""
        lines = "".join(json.dumps(record) + "\n" for record in records)
        results = map(json.loads, self._insist("POST", path, lines).text.splitlines())
        refused = [result for result in results if result["outcome"] in ("refused", "failed")]
        if refused:
            raise Problem(f"POST {path} did not take {len(refused)} lines, such as {refused[0]}")

    def items(self, path: str, limit: int = 500) -> Iterator[dict]:
        """Returns everything that a list has, page by page."""
        after = ""
        while after is not None:
            page = self.get(f"{path}?limit={limit}{after and f'&after={after}'}")
            yield from page["items"]
            after = page.get("next")

    def _insist(self, method: str, path: str, body: Any = None) -> Answer:
        answer = self.ask(method, path, body)
        if answer.status >= 300:
            raise Refused(f"{method} {path}", answer)
        return answer


def _answer(response) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, headers, response.read().decode())
