"""Sends results, a message a person. What was acknowledged is not sent again; what fails stays and is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

import httpx
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    nap,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
)
from tenacity.wait import wait_random_exponential

from scoring.connector.journal import Entry, Journal
from scoring.connector.mapping import Mapping, filled_in, mapped

State: TypeAlias = Literal["sent", "already", "refused", "failed", "not tried"]
#: Answers after which the same message may succeed later.
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
#: People in a row that all attempts failed for; then the system is taken to be down.
_DOWN = 3
_SAID = 200


@dataclass(frozen=True)
class Outcome:
    """What became of one person's result; ``why`` says what and, where it failed, what to do."""

    person: str
    state: State
    why: str


@dataclass(frozen=True)
class Report:
    """Everybody's, in the order of the results."""

    outcomes: tuple[Outcome, ...]

    @property
    def complete(self) -> bool:
        """Has the HR system acknowledged everybody's?"""
        return all(one.state in ("sent", "already") for one in self.outcomes)

    def number(self, state: State) -> int:
        """How many are in this state."""
        return sum(one.state == state for one in self.outcomes)


def key_of(document: dict[str, Any], person: str) -> str:
    """The idempotency key: person, period, card, its version, and the revision; ASCII, as headers must be."""
    parts = (person, document["period"], document["card"], document["card_version"], str(document["revision"]))
    key = "|".join(quote(part, safe="") for part in parts)
    return key if len(key) <= 200 else sha256(key.encode()).hexdigest()


def push(
    document: dict[str, Any],
    mapping: Mapping,
    journal: Journal,
    client: httpx.Client,
    told: Callable[[Outcome], None] = lambda _: None,
    sleep: Callable[[float], None] = nap.sleep,
) -> Report:
    """Send every person's result that the journal does not have as acknowledged.

    An answer of 2xx acknowledges, and is in the journal before the next is sent. Time-outs, broken connections and
    answers such as 503 are tried again, waiting longer each time or as ``Retry-After`` says; the key lets the system
    know a message that it has had already. Other answers refuse that person. ``told`` hears of each at once. Raises
    MappingError where the mapping does not fit.
    """
    url, headers = filled_in(mapping.url), {name: filled_in(value) for name, value in mapping.headers.items()}
    sender = _Sender(mapping, url, headers, journal, client, sleep)
    bodies = [mapped(mapping, document, person) for person in document["people"]]  # all fit before the first is sent
    made: list[Outcome] = []
    for person, (body, missing) in zip(document["people"], bodies, strict=True):
        outcome = sender.send(document, person["person"], body, missing)
        made.append(outcome)
        told(outcome)
    return Report(tuple(made))


class _Sender:
    def __init__(
        self,
        mapping: Mapping,
        url: str,
        headers: dict[str, str],
        journal: Journal,
        client: httpx.Client,
        sleep: Callable[[float], None],
    ) -> None:
        self._mapping, self._url, self._headers = mapping, url, headers
        self._journal, self._client = journal, client
        self._failed = 0  # people in a row
        self._growing = wait_random_exponential(multiplier=0.5, max=mapping.longest_wait_seconds)
        self._retrying = Retrying(
            stop=stop_after_attempt(mapping.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(httpx.TransportError)
            | retry_if_result(lambda answer: answer.status_code in _LATER),
            sleep=sleep,
        )

    def send(self, document: dict[str, Any], id: str, body: dict[str, Any], missing: list[str]) -> Outcome:
        """Send one person's result, unless it is there already."""
        key = key_of(document, id)
        if missing:
            return Outcome(
                id, "refused", f"{', '.join(missing)} is empty, and the mapping requires it; hand it in and score again"
            )
        data = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
        digest = sha256(data).hexdigest()
        known = self._journal.acknowledged(self._url, key)
        if known is not None and known.digest == digest:
            return Outcome(id, "already", f"acknowledged {known.at}".strip())
        if known is not None:
            return Outcome(
                id,
                "refused",
                f"revision {document['revision']} was acknowledged with another content; "
                f"to send the change, give --revision {document['revision'] + 1}",
            )
        if self._failed >= _DOWN:
            return Outcome(id, "not tried", "the HR system is down; run the command again later")
        made = self._sent(id, key, data, digest)
        self._failed = self._failed + 1 if made.state == "failed" else 0
        return made

    def _sent(self, id: str, key: str, data: bytes, digest: str) -> Outcome:
        try:
            answer: httpx.Response = self._retrying(self._once, key, data)
        except RetryError as error:
            return Outcome(
                id, "failed", f"{_last(error)}, {self._mapping.attempts} attempts; run the command again later"
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Outcome(id, "failed", f"{error}; correct the address in the mapping")
        if answer.is_success:
            self._journal.remember(self._url, key, Entry(digest, answer.status_code, answer.headers.get("Date", "")))
            return Outcome(id, "sent", f"HTTP {answer.status_code}")
        said = " ".join(answer.text.split())[:_SAID]
        return Outcome(id, "refused", f"HTTP {answer.status_code} {said}".strip())

    def _once(self, key: str, data: bytes) -> httpx.Response:
        headers = {**self._headers, "Content-Type": "application/json", "Idempotency-Key": key}
        return self._client.request(
            self._mapping.method, self._url, content=data, headers=headers, timeout=self._mapping.timeout_seconds
        )

    def _wait(self, state: RetryCallState) -> float:
        """As long as the system asks for, where it does; never longer than the mapping allows."""
        outcome = state.outcome
        if outcome is not None and not outcome.failed:
            asked = outcome.result().headers.get("Retry-After", "")
            if asked.isdecimal():
                return min(float(asked), self._mapping.longest_wait_seconds)
        return self._growing(state)


def _last(error: RetryError) -> str:
    """What the last attempt came to."""
    attempt = error.last_attempt
    if attempt.failed:
        why = attempt.exception()
        if isinstance(why, httpx.TimeoutException):
            return "no answer in time"
        return f"no connection ({why})" if isinstance(why, httpx.ConnectError) else f"the connection broke ({why})"
    return f"HTTP {attempt.result().status_code}"


def problems(report: Report) -> Iterable[str]:
    """A line for each person that the HR system has not acknowledged; those not tried are counted in one."""
    for one in report.outcomes:
        if one.state in ("refused", "failed"):
            yield f"{one.person}: {one.state}: {one.why}"
    if waiting := report.number("not tried"):
        yield f"{waiting} more people not tried: the HR system is down; run the command again later"
