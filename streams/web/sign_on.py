"""What the operation says of its single sign-on: which provider, and how its claims become names, roles, people and teams here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from streams import bounded_yaml
from streams.web.roles import ROLES, Role, checked_roles

#: Where http will do: nobody listens between.
_OWN = ("127.0.0.1", "localhost", "::1")
_EXAMPLE = """\
issuer: https://id.example.org/realms/desk   # as the provider spells it, to the letter
client: deskpulse                            # its name for this desk; the secret is DESKPULSE_SIGN_ON_SECRET or ..._FILE
label:                                       # on the button, by language
  zh: 公司账号
  en: company account
scopes: [openid, profile]                    # with offline_access where the provider gives no refresh token without it
name: preferred_username                     # claim with the name that stands in journals
person: employee_id                          # claim with the id on the roster; agents need one
teams: teams                                 # claim with the ids of teams that they lead or look at; '*' is all
roles:
  claim: groups                              # a list; realm_access.roles is a claim within a claim
  are:                                       # what stands there -> role here
    desk-supervisors: supervisor
    desk-hr: hr
    desk-it: administrator
"""


def is_safe(address: object) -> bool:
    """Is it an address at which nobody listens between: https, or of this machine?"""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _OWN))


def _safe(address: str) -> str:
    if not is_safe(address):
        raise ValueError(f"{address!r} is no address that starts with https:// (http:// on this machine only)")
    return address


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RolesByClaim(_Part):
    """Which claim says what somebody is. ``are``: what stands there → role."""

    claim: str = Field("groups", min_length=1)
    are: dict[str, Role] = Field(min_length=1)


class SignOn(_Part):
    """The file. ``issuer``: as the provider spells it; the claims' names as it sends them."""

    issuer: Annotated[str, AfterValidator(_safe)]
    client: str = Field(min_length=1)
    label: dict[str, str] = Field(default_factory=dict)
    scopes: tuple[str, ...] = ("openid", "profile")
    name: str = "preferred_username"
    person: str | None = None
    teams: str | None = None
    roles: RolesByClaim

    def somebody(self, claims: Mapping[str, Any]) -> Somebody:
        """Who the claims speak of. Raises ValueError, which says what is missing, where they are nobody here."""
        name = found(claims, self.name)
        if not isinstance(name, str) or not name:
            raise ValueError(f"the provider sends no name in the claim {self.name!r}; it sends {_listed(claims)}")
        groups = _several(found(claims, self.roles.claim))
        roles = {self.roles.are[group] for group in groups if group in self.roles.are}
        if not roles:
            raise ValueError(
                f"no role: of what stands in the claim {self.roles.claim!r} ({', '.join(sorted(groups)[:20]) or 'nothing'}), "
                f"the file knows none"
            )
        person = None if self.person is None else found(claims, self.person)
        if person is not None and (not isinstance(person, str | int) or len(str(person)) > 256):
            raise ValueError(f"the claim {self.person!r} is no id of the roster")
        teams = () if self.teams is None else tuple(sorted(set(_several(found(claims, self.teams)))))
        theirs = None if person in (None, "") else str(person)
        return Somebody(
            self.issuer, str(claims["sub"]), name, tuple(checked_roles(roles, theirs, teams)), theirs, teams
        )


@dataclass(frozen=True)
class Somebody:
    """Somebody as the provider knows them. ``subject``: its own id of them, which never changes."""

    issuer: str
    subject: str
    name: str
    roles: tuple[Role, ...]
    person: str | None
    teams: tuple[str, ...]


def example() -> str:
    """A file to begin with."""
    return _EXAMPLE


def load(path: Path) -> SignOn:
    """The file. Raises ValueError that names it and each wrong entry."""
    raw = bounded_yaml.load_named(path, "the sign-on file")
    try:
        return SignOn.model_validate(raw if raw is not None else {})
    except ValidationError as error:
        raise ValueError("\n".join(f"{path}: {line}" for line in _faults(error))) from error


def found(claims: Mapping[str, Any], name: str) -> Any:
    """A claim, or one within a claim (``realm_access.roles``); None: it is not there."""
    if name in claims:
        return claims[name]
    first, dot, rest = name.partition(".")
    inner = claims.get(first)
    return found(inner, rest) if dot and isinstance(inner, Mapping) else None


def _several(value: Any) -> list[str]:
    """A claim that may be one text or a list of them."""
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _listed(claims: Mapping[str, Any]) -> str:
    return ", ".join(sorted(claims)[:30]) or "none"


def _faults(error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        where = ".".join(map(str, fault["loc"])) or "the file"
        reason = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "literal_error":
            reason = f"no role {fault['input']!r}; give one of {', '.join(ROLES)}"
        yield f"{where}: {reason}"
