"""Channels of a configuration, with their secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from streams.notifier import config as given
from streams.notifier.channels import http
from streams.notifier.channels.channel import Channel
from streams.notifier.config import AnyChannel, Config
from streams.notifier.links import Links
from streams.secret_files import value_of

Client = Callable[[], httpx.Client]


def channels(config: Config, environment: Mapping[str, str], client: Client = http.client) -> dict[str, Channel]:
    """Every channel by its name. Raises ValueError that names every one whose secrets are not there or are of no use."""
    made: dict[str, Channel] = {}
    wrong = []
    for name, own in config.channels.items():
        try:
            made[name] = channel(own, environment, client)
        except ValueError as error:
            wrong.append(f"channels.{name}: {error}")
    if wrong:
        raise ValueError("\n".join(wrong))
    return made


def channel(  # noqa: PLR0911 - one for each type
    own: AnyChannel, environment: Mapping[str, str], client: Client = http.client
) -> Channel:
    """One channel. Raises ValueError. Libraries of channels that nobody uses are not loaded."""
    from streams.notifier.channels import alertmanager, dingtalk, feishu, mail, webhook, wecom

    def secret(reference: str | None) -> Any:
        return None if reference is None else value_of(reference, environment)

    match own:
        case given.DingTalk():
            return dingtalk.dingtalk(_http(secret(own.url)), secret(own.secret), own.keyword, client)
        case given.WeCom():
            return wecom.wecom(_http(secret(own.url)), client)
        case given.Feishu():
            return feishu.feishu(_http(secret(own.url)), secret(own.secret), own.keyword, client)
        case given.MailChannel():
            return mail.Mail(secret(own.server), own.sender, own.to)
        case given.WebhookChannel():
            return webhook.Webhook(_http(secret(own.url)), secret(own.secret), client)
        case given.AlertmanagerChannel():
            return alertmanager.Alertmanager(_http(secret(own.url)), client)
        case given.AppriseChannel():
            from streams.notifier.channels.apprise import Apprise

            return Apprise(secret(own.url))


def links(config: Config, environment: Mapping[str, str]) -> Links | None:
    """The links of a configuration; None: it has none. Raises ValueError."""
    own = config.acknowledge
    if own is None:
        return None
    url = _http(value_of(own.url, environment) if own.url.startswith("$") else own.url)
    return Links(url, value_of(own.key, environment), round(own.hours * 3_600_000))


def _http(url: str) -> str:
    """An address of a server. Raises ValueError, which does not say it: it may hold a secret."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ValueError("its address is none; write https://HOST/PATH") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("its address is none; write https://HOST/PATH")
    return url
