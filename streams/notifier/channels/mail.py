"""Mail, by the operation's own server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from urllib.parse import parse_qs, unquote, urlsplit

from streams.notifier.channels.channel import Gathering, Outcome, Parcel
from streams.notifier.channels.markup import plain
from streams.notifier.message import fit
from streams.notifier.rates import Rate

_TIMEOUT_SECONDS = 15.0
#: A message stays readable, however many it is about. Bytes.
_LIMIT_BYTES = 100_000
_SECURE_PORT, _SUBMISSION_PORT = 465, 587


class Mail:
    """A mail server: ``smtp://USER:PASSWORD@HOST:587`` (TLS is begun; ``?tls=none``: it is not), ``smtps://…``.

    The key of a message is its Message-ID: a second copy is the same mail. The mails of an incident are one thread.
    """

    gathering: Gathering = "digest"
    rates: tuple[Rate, ...] = (Rate(60, 60),)
    deadline_seconds = 4 * _TIMEOUT_SECONDS

    def __init__(self, server: str, sender: str, to: Sequence[str] = ()) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("the address of a mail server is none; write smtp://USER:PASSWORD@HOST:587, or smtps://…")
        self._host, self._implicit = parts.hostname, parts.scheme == "smtps"
        self._port = parts.port or (_SECURE_PORT if self._implicit else _SUBMISSION_PORT)
        self._tls = parse_qs(parts.query).get("tls") != ["none"]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender, self._to = sender, tuple(to)
        self._domain = sender.rpartition("@")[2].strip("> ") or self._host
        self.robot = f"{self._host}:{self._port}#{sha256(sender.encode()).hexdigest()[:12]}"

    def send(self, parcel: Parcel) -> Outcome:
        """Try once. Addresses that the server does not take are said, where it takes others."""
        to = list(dict.fromkeys((*self._to, *(one.email for one in parcel.message.people if one.email))))
        if not to:
            return Outcome("refused", "nobody to write to: give the channel `to`, or people an e-mail address")
        mail = self.mail(parcel, to)
        sent = False
        try:
            with self._connected() as server:
                sent = True
                left_out = server.send_message(mail, self._sender, to)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            return _refusal(error)
        except smtplib.SMTPServerDisconnected as error:
            return Outcome("unknown" if sent else "unavailable", f"SMTP: {error}")
        except (smtplib.SMTPException, ssl.SSLError) as error:
            # Of these none comes after the message has been handed over.
            return Outcome("unavailable", f"SMTP: {type(error).__name__}: {_words(error)}")
        except OSError as error:
            return Outcome("unknown" if sent else "unavailable", f"SMTP: {type(error).__name__}")
        return Outcome(
            "told", f"SMTP: taken{f', but not for {len(left_out)} of {len(to)} addresses' if left_out else ''}"
        )

    def mail(self, parcel: Parcel, to: Sequence[str]) -> EmailMessage:
        """The mail itself."""
        made = EmailMessage()
        made["From"], made["To"] = self._sender, ", ".join(to)
        made["Subject"] = " ".join(parcel.message.title.split())
        made["Date"] = format_datetime(parcel.at)
        made["Message-ID"] = f"<{parcel.key}@{self._domain}>"
        if incident := parcel.data.get("incident", {}).get("id"):
            thread = f"<{sha256(str(incident).encode()).hexdigest()[:32]}@{self._domain}>"
            made["References"] = made["In-Reply-To"] = thread
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(fit(parcel.message, plain, lambda text: len(text.encode()), _LIMIT_BYTES), charset="utf-8")
        for file in parcel.message.files:
            kind, _, sort = file.type.partition("/")
            made.add_attachment(file.body, kind, sort, filename=file.name)
        return made

    def close(self) -> None:
        """Nothing is kept open."""

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        server: smtplib.SMTP
        if self._implicit:
            server = smtplib.SMTP_SSL(self._host, self._port, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            if self._tls and not self._implicit:
                server.starttls(context=context)
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server


def _refusal(error: smtplib.SMTPException) -> Outcome:
    """A server that says 4xx wants to be asked later, one that says 5xx never."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    else:
        codes = [int(getattr(error, "smtp_code", 500))]
    said = f"SMTP: {', '.join(sorted({str(code) for code in codes}))} {_words(error)}".strip()
    return Outcome("unavailable" if any(code < 500 for code in codes) else "refused", said)


def _words(error: Exception) -> str:
    """What the server says; not the addresses, and no password."""
    said = getattr(error, "smtp_error", b"")
    return said.decode(errors="replace")[:200] if isinstance(said, bytes) else str(said)[:200]
