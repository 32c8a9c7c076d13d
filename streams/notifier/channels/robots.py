"""What the robots of chats have in common: they answer 200 whatever happens, and say in the body what did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import msgspec

from streams.notifier.channels import http
from streams.notifier.channels.channel import Gathering, Outcome, Parcel
from streams.notifier.message import Message, encoded, fit
from streams.notifier.rates import Rate


@dataclass(frozen=True)
class Codes:
    """What a robot's error codes mean. ``busy``: code → seconds for which it wants to be left alone; ``refused``: what is wrong is the
    message. Every other code but 0 says that the robot itself is not to be had (its address, its secret, its group).
    """

    busy: Mapping[int, float]
    refused: frozenset[int]


class Robot:
    """A group's robot. ``form``: message → its JSON; ``size``: bytes of that as the robot counts them, of which it takes ``limit``;
    ``sign``: moment, address and body → those that are sent.
    """

    gathering: Gathering = "digest"
    deadline_seconds = http.DEADLINE_SECONDS + http.CONNECT_SECONDS

    def __init__(
        self,
        url: str,
        form: Callable[[Message], dict[str, Any]],
        size: Callable[[dict[str, Any]], int],
        limit: int,
        rates: tuple[Rate, ...],
        codes: Codes,
        sign: Callable[[datetime, str, dict[str, Any]], tuple[str, dict[str, Any]]] = lambda _, url, body: (url, body),
        client: Callable[[], httpx.Client] = http.client,
    ) -> None:
        self._url, self._form, self._size, self._limit = url, form, size, limit
        self.rates, self._codes, self._sign = rates, codes, sign
        self.robot = http.robot_of(url)
        self._http = client()

    def body(self, message: Message) -> dict[str, Any]:
        """What the robot is sent, no longer than it takes."""
        return fit(message, self._form, self._size, self._limit)

    def send(self, parcel: Parcel) -> Outcome:
        """Try once."""
        url, body = self._sign(parcel.at, self._url, self.body(parcel.message))
        headers = {"Content-Type": "application/json; charset=utf-8"}
        answer = http.post(self._http, url, encoded(body), headers, parcel.at)
        return answer if isinstance(answer, Outcome) else self._read(answer)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _read(self, answer: http.Answer) -> Outcome:
        """What a robot means. It says ``errcode``, or ``code``, and words for it."""
        try:
            told = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            told = None
        code = (
            next((told[name] for name in ("errcode", "code", "StatusCode") if name in told), None)
            if isinstance(told, dict)
            else None
        )
        if not isinstance(code, int):
            # A page of a proxy, perhaps: it did not come from the robot, but nobody knows what came before it.
            return Outcome("unknown" if answer.status < 300 else "unavailable", answer.shown)
        if code == 0:
            return Outcome("told", answer.shown)
        if code in self._codes.busy:
            return Outcome("unavailable", answer.shown, self._codes.busy[code])
        return Outcome("refused" if code in self._codes.refused else "unavailable", answer.shown)
