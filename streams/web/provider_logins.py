"""Who is in by the single sign-on: let in by what the provider says, renewed while they work, out where it says so."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock

from streams.database import Database, StoreError
from streams.web import sessions, users
from streams.web.provider import Begun, Provider, ProviderError, RefusedError
from streams.web.sessions import ByProvider
from streams.web.store import digest, note

_LOG = logging.getLogger(__name__)
#: Renewals of different sessions hardly wait for each other; of one, one is made at a time: a provider may take a second for a thief's.
_LOCKS = 64


class TurnedAwayError(Exception):
    """Somebody is not let in. ``reason`` is a word of the page's: ``away`` (ask later), ``again`` (try again), ``denied`` (the provider did
    not let them in), ``nobody`` (it did, and they are nobody here). The message is for whoever runs this.
    """

    def __init__(self, reason: str, why: object) -> None:
        super().__init__(str(why))
        self.reason = reason


class ProviderLogins:
    """Logins by one provider, in the desk's database."""

    def __init__(self, provider: Provider, database: Database, now_ms: Callable[[], int]) -> None:
        self.provider, self._database, self._now_ms = provider, database, now_ms
        self._locks = [Lock() for _ in range(_LOCKS)]

    def let_in(self, begun: Begun, code: str, before: str, browser: str, place: str) -> str:
        """The secret of a new session of whom the provider let in; the session ``before`` ends. Raises TurnedAwayError."""
        try:
            told = self.provider.came_back(begun, code)
        except ProviderError as error:
            raise TurnedAwayError("away", error) from error
        except RefusedError as error:
            raise TurnedAwayError("again", error) from error
        now = self._now_ms()
        try:
            who = self.provider.file.somebody(told.claims)
            with self._database.write() as connection:
                name = users.let_in(connection, who, now)
                said = ByProvider(told.session, told.renewal)
                return sessions.log_in(connection, name, now, browser, place, before, said)
        except StoreError as error:
            raise TurnedAwayError("away", error) from error
        except ValueError as error:
            with self._database.write() as connection:
                note(connection, now, str(told.claims["sub"]), "login-failed", place=place)
            raise TurnedAwayError("nobody", error) from error

    def renew(self, secret: str) -> None:
        """Read anew what the provider says of a session, where that is due: its user has other roles from then on, or is out. Where the
        provider does not answer nothing happens, until what it said is too old. Raises StoreError.
        """
        with self._locks[int(digest(secret)[:4], 16) % _LOCKS]:
            due = self._due(secret)
            if due is None or due[1] is None:
                return
            try:
                self._renew(secret, due[0], due[1])
            except ProviderError as error:
                _LOG.warning("what the provider says of a session cannot be renewed: %s", error)
            except ValueError as error:
                if self._due(secret) is not None:  # else another process has renewed it meanwhile
                    self._end(secret, due[0], error)

    def ended(self, token: str) -> None:
        """End what the provider has ended, by its logout token. Raises RefusedError, ProviderError, StoreError."""
        subject, sid = self.provider.logged_out(token)
        now = self._now_ms()
        with self._database.write() as connection:
            name = None if subject is None else users.of_subject(connection, self.provider.file.issuer, subject)
            if subject is not None and name is None:
                return
            if sessions.end_at_provider(connection, name, sid, now):
                note(connection, now, name or "provider", "logged-out", name or "")

    def _due(self, secret: str) -> tuple[str, str | None] | None:
        with self._database.read() as connection:
            return sessions.to_renew(connection, secret, self._now_ms())

    def _renew(self, secret: str, name: str, renewal: str) -> None:
        with self._database.read() as connection:
            known = users.subject_of(connection, name)
        if known is None or known[0] != self.provider.file.issuer:
            raise RefusedError("this session is of another provider")
        told = self.provider.renewed(renewal, known[1])
        who, now = self.provider.file.somebody(told.claims), self._now_ms()
        with self._database.write() as connection:
            users.let_in(connection, who, now)
            sessions.renewed(connection, secret, ByProvider(told.session, told.renewal), now)

    def _end(self, secret: str, name: str, why: Exception) -> None:
        _LOG.info("a session of the single sign-on ends: %s", why)
        now = self._now_ms()
        with self._database.write() as connection:
            sessions.end_secret(connection, secret, now)
            note(connection, now, name, "logged-out", name)
