"""Who is told what, by which channel, in which language: the notifier's file, read and refused with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from streams import bounded_yaml
from streams.cases.case import CASE_KINDS, CaseKind
from streams.contracts.outputs import Severity
from streams.languages.text import LANGUAGES
from streams.people.duty import LEAD, parse_week
from streams.secret_files import SecretName

_ID = r"^[a-z][a-z0-9_-]{0,63}$"
_HOUR = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_HTTP = r"^https?://[^\s/]+\S*$"


def _language(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"no language {code!r}; there are {', '.join(LANGUAGES)}")
    return code


def _week(text: str) -> str:
    parse_week(text)
    return text


LanguageCode: TypeAlias = Annotated[str, AfterValidator(_language), Field(description="zh or en")]
Week: TypeAlias = Annotated[
    str,
    AfterValidator(_week),
    Field(description="Days and hours of the operation's zone: mon-fri 09:00-18:00; sat 09:00-12:00"),
]
Selector: TypeAlias = Annotated[list[Annotated[str, Field(min_length=1, max_length=256)]], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Digest(_Part):
    """How many messages people get. At most ``messages`` within ``seconds``; what comes beyond waits that long, and is then one message."""

    messages: Annotated[int, Field(ge=1, le=20)] = 2
    seconds: Annotated[float, Field(ge=1, le=3600)] = 30


class _ForPeople(_Part):
    names: Annotated[
        bool, Field(description="Names of agents in place of their ids: everybody who reads the channel sees them")
    ] = False
    digest: Digest | None = Field(None, description="As the one of the file, where absent")


class DingTalk(_ForPeople):
    """A group's robot of DingTalk."""

    type: Literal["dingtalk"]
    url: SecretName
    secret: SecretName | None = None
    keyword: str = ""


class WeCom(_ForPeople):
    """A group's robot of WeCom."""

    type: Literal["wecom"]
    url: SecretName


class Feishu(_ForPeople):
    """A group's robot of Feishu (Lark)."""

    type: Literal["feishu"]
    url: SecretName
    secret: SecretName | None = None
    keyword: str = ""


class MailChannel(_ForPeople):
    """Mail. ``to``: addresses that get every message; those on duty are added, by the people's table."""

    type: Literal["mail"]
    server: SecretName
    sender: Annotated[str, Field(alias="from", pattern=r"^[^\s@]+@[^\s@]+$|^[^<>@]+<[^\s@]+@[^\s@]+>$")]
    to: list[Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$")]] = []


class AppriseChannel(_ForPeople):
    """One of Apprise's addresses: Slack, Teams, Telegram, SMS gateways …"""

    type: Literal["apprise"]
    url: SecretName


class WebhookChannel(_Part):
    """A program's address: gets every step, signed where there is a secret."""

    type: Literal["webhook"]
    url: SecretName
    secret: SecretName | None = None


class AlertmanagerChannel(_Part):
    """Prometheus Alertmanager: gets how incidents stand; a silence there is one here."""

    type: Literal["alertmanager"]
    url: SecretName


AnyChannel: TypeAlias = Annotated[
    DingTalk | WeCom | Feishu | MailChannel | AppriseChannel | WebhookChannel | AlertmanagerChannel,
    Field(discriminator="type"),
]


class Route(_Part):
    """Who is told of which incidents. All that is given must fit; of a list one of its entries.

    ``during``, ``outside``: only in these hours, or only out of them, as it is when the step is told. ``duty``: who is on duty as this role
    for the incident's team, or the operation, is called by name. ``otherwise``: only where no other route fits. A rule that names routes is
    told by these, if they fit.
    """

    to: Annotated[list[str], Field(min_length=1)]
    team: Selector | None = None
    queue: Selector | None = None
    site: Selector | None = None
    rule: Selector | None = None
    severity: Annotated[list[Severity], Field(min_length=1)] | None = None
    during: Week | None = None
    outside: Week | None = None
    duty: Annotated[str, Field(min_length=1, max_length=256)] | bool = False
    language: LanguageCode | None = Field(None, description="As the one of the file, where absent")
    otherwise: bool = False

    @property
    def role(self) -> str | None:
        """As what somebody is on duty who is called; None: nobody is."""
        return (LEAD if self.duty is True else self.duty) or None


class Acknowledge(_Part):
    """Links that acknowledge. ``url``: how browsers reach the notifier's own server; ``key``: signs them; they last for ``hours``."""

    url: Annotated[str, Field(pattern=_HTTP + r"|^\$[A-Z][A-Z0-9_]*$")]
    key: SecretName
    hours: Annotated[float, Field(gt=0, le=24 * 30)] = 24


class CallBack(_Part):
    """Which customers are called back: those who turn to us the ``contacts``-th time within 24 hours, and callers who gave up after they
    had waited for ``wait_seconds``.
    """

    contacts: Annotated[int, Field(ge=2, le=100)] = 3
    wait_seconds: Annotated[float, Field(ge=1, le=86_400)] = 300
    hours: Annotated[float, Field(gt=0, le=8784)] = 4


class Cases(_Part):
    """What opens a case, how long owners have, and by which channels they are told.

    Hours are business hours where the policy has any. ``remind_hours``: so long before a case is due its owner is reminded.
    """

    to: list[str] = []
    opens: tuple[CaseKind, ...] = CASE_KINDS
    due_hours: Annotated[float, Field(gt=0, le=8784)] = 24
    remind_hours: Annotated[float, Field(ge=0, le=8784)] = 4
    call_back: CallBack = CallBack()
    language: LanguageCode | None = Field(None, description="As the one of the file, where absent")


class DigestMessage(_Part):
    """What somebody reads once a day or once a week. ``at``: when, of the operation's zone; where absent, half an hour before the first
    shift or the first business hour of the day, else 08:00. ``every`` `day`: complaints since the last working day and what is open;
    `week`: complaints against the week before, and which cases were closed in time.
    """

    every: Literal["day", "week"]
    to: Annotated[list[str], Field(min_length=1)]
    at: Annotated[str, Field(pattern=_HOUR)] | None = None
    language: LanguageCode | None = Field(None, description="As the one of the file, where absent")


class MonthEnd(_Part):
    """What happens when a month is over: on its first working day, and then every ``remind_days`` working days as long as something is
    missing, ``days`` at most, the runs of all cards prepare themselves (`deskpulse score close`). ``to`` is told what is prepared, who owes
    which inputs, and what could not be prepared. By the mail channels ``owners``, whoever owes something is written to, with the sheet to
    fill in. ``at``: as of digests. ``cards``, ``outcomes``, ``calendar``: as `deskpulse score close` takes them.
    """

    to: Annotated[list[str], Field(min_length=1)]
    owners: list[str] = []
    at: Annotated[str, Field(pattern=_HOUR)] | None = None
    remind_days: Annotated[int, Field(ge=1, le=20)] = 2
    days: Annotated[int, Field(ge=1, le=20)] = 10
    cards: list[Annotated[str, Field(min_length=1, pattern=r"^[^-]")]] = []
    outcomes: Path | None = None
    calendar: Path | None = None
    language: LanguageCode | None = Field(None, description="As the one of the file, where absent")


class Config(_Part):
    """The notifier's file."""

    language: LanguageCode = "zh"
    wallboard: Annotated[str, Field(pattern=_HTTP)] | None = Field(
        None, description="Address of the wallboard, to which messages lead"
    )
    acknowledge: Acknowledge | None = None
    digest: Digest = Digest()
    cases: Cases | None = Field(None, description="Open cases and tell their owners; nothing opens any where absent")
    digests: dict[Annotated[str, Field(pattern=_ID)], DigestMessage] = Field(
        default={}, description="Name → what is told once a day or a week"
    )
    month_end: MonthEnd | None = Field(
        None, description="Prepare the month's runs and ask for what is missing; nobody is asked where absent"
    )
    channels: Annotated[dict[Annotated[str, Field(pattern=_ID)], AnyChannel], Field(min_length=1)]
    routes: Annotated[dict[Annotated[str, Field(pattern=_ID)], Route], Field(min_length=1)]

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Config:
        wrong = []
        for place, channel in self.led_to():
            if channel not in self.channels:
                near = get_close_matches(channel, self.channels, 1)
                wrong.append(
                    f"{place}: no channel is called {channel!r}"
                    + (f"; is it {near[0]}?" if near else f"; there are {', '.join(self.channels)}")
                )
            elif isinstance(self.channels[channel], AlertmanagerChannel) and not place.startswith("routes."):
                wrong.append(f"{place}: {channel} is an Alertmanager, which knows alerts only; take another channel")
            elif place == "month_end.owners" and not isinstance(self.channels[channel], MailChannel):
                wrong.append(f"{place}: {channel} takes no file with what is to be filled in; take a mail channel")
        for name, route in self.routes.items():
            if route.during and route.outside:
                wrong.append(f"routes.{name}: give `during` or `outside`, not both")
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def led_to(self) -> Iterator[tuple[str, str]]:
        """Every entry that names a channel: its place, the channel."""
        for name, route in self.routes.items():
            yield from ((f"routes.{name}.to", channel) for channel in route.to)
        yield from (("cases.to", channel) for channel in (self.cases.to if self.cases else ()))
        for name, digest in self.digests.items():
            yield from ((f"digests.{name}.to", channel) for channel in digest.to)
        if self.month_end is not None:
            yield from (("month_end.to", channel) for channel in self.month_end.to)
            yield from (("month_end.owners", channel) for channel in self.month_end.owners)

    def language_of(self, route: str) -> str:
        """In which language a route is told."""
        own = self.routes[route].language if route in self.routes else None
        return own or self.language

    def digest_of(self, channel: str) -> Digest:
        """How many messages a channel for people gets."""
        return getattr(self.channels[channel], "digest", None) or self.digest


_CONFIG = TypeAdapter(Config)
_HINTS: Mapping[str, str] = {
    "extra_forbidden": "there is no such entry here",
    "missing": "is missing",
    "union_tag_not_found": "say its type: dingtalk, wecom, feishu, mail, apprise, webhook or alertmanager",
}


def read(raw: Any) -> Config:
    """The configuration of a file's content. Raises ValueError with every wrong entry, a line each, and what to write."""
    if not isinstance(raw, dict):
        raise ValueError("`channels` and `routes` are expected; `deskpulse notify example` prints a file to begin with")
    try:
        return _CONFIG.validate_python(raw)
    except ValidationError as error:
        raise ValueError("\n".join(_told(dict(one)) for one in error.errors())) from error


def load(path: Path) -> Config:
    """The same of a file. Raises ValueError that names it."""
    raw = bounded_yaml.load_named(path, "the notifier's file")
    try:
        return read(raw)
    except ValueError as error:
        raise ValueError("\n".join(f"{path}: {line}" for line in str(error).split("\n"))) from error


def schema() -> dict[str, Any]:
    """JSON Schema of the file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_CONFIG.json_schema(by_alias=True)}


def remarks(config: Config) -> list[str]:
    """What may be meant and yet surprises, a line each."""
    told = []
    used = {channel for _, channel in config.led_to()}
    told += [f"channels.{name}: no route leads to it" for name in config.channels if name not in used]
    if not any(_takes_all(route) for route in config.routes.values()):
        told.append(
            "no route takes every incident: one that none fits is told nobody; add a route with `otherwise: true`"
        )
    if config.cases is not None and not config.cases.to:
        told.append("cases.to: nobody is told of cases; `deskpulse case list` has them")
    if config.acknowledge is None:
        told.append("no `acknowledge`: messages have no link by which somebody takes care of an incident")
    return told


def unknown_routes(config: Config, named: Mapping[str, Sequence[str]]) -> list[str]:
    """Routes that alert rules name (rule → their names) and the file has not, a line each."""
    return [
        f"rule {rule} names the route {route!r}, which is not there: it is told by the routes that fit"
        for rule, routes in named.items()
        for route in dict.fromkeys(routes)
        if route not in config.routes
    ]


def _takes_all(route: Route) -> bool:
    narrow: Sequence[object] = (
        route.team,
        route.queue,
        route.site,
        route.rule,
        route.severity,
        route.during,
        route.outside,
    )
    return not any(narrow)


def _told(error: Mapping[str, Any]) -> str:
    # A channel's type stands in the place of its own fields.
    place = ".".join(map(str, _without_tag(error["loc"])))
    said = _HINTS.get(error["type"], str(error["msg"]).removeprefix("Value error, "))
    if error["type"] == "value_error" and not place:
        return said
    return f"{place}: {said}"


def _without_tag(loc: Iterable[str | int]) -> list[str | int]:
    parts = list(loc)
    return [*parts[:2], *parts[3:]] if len(parts) > 3 and parts[0] == "channels" else parts
