"""``deskpulse sign-on``: the file of the desk's single sign-on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.commands.shared.context import clear_errors, deployment
from streams.languages.translation import tell
from streams.settings import Settings
from streams.system_clock import machine_ms
from streams.web.provider import Begun, Provider
from streams.web.sign_on import example as example_file
from streams.web.sign_on import load

sign_on = typer.Typer(no_args_is_help=True, help="Single sign-on of the desk (`deskpulse web`) by OpenID Connect.")


@sign_on.callback()
def commands() -> None:
    """Single sign-on of the desk (`deskpulse web`) by OpenID Connect: Keycloak, Entra ID, Okta, Authing, …"""


@sign_on.command()
def example() -> None:
    """Print a file to begin with."""
    typer.echo(example_file(), nl=False)


@sign_on.command()
def check(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The sign-on file (YAML)")],
    url: Annotated[
        str, typer.Option("--url", metavar="URL", envvar="DESKPULSE_WEB_URL", help="How browsers reach the desk")
    ] = "http://127.0.0.1:8093",
) -> None:
    """Read the file, ask the provider what it says of itself, and tell what to register there."""
    here = deployment(ctx)
    with clear_errors():
        provider = provider_of(here.settings, file, url)
        try:
            provider.login(Begun.now())
        finally:
            provider.close()
    tell(
        f"{file}: the provider at {provider.file.issuer} answers. Register there, for the client {provider.file.client}:"
    )
    base = url.rstrip("/")
    tell(f"  redirect URI             {base}/login/back")
    tell(f"  redirect after logout    {base}/")
    tell(f"  back-channel logout URL  {base}/login/ended")
    if here.settings.sign_on_secret is None:
        tell("DESKPULSE_SIGN_ON_SECRET is not set: the client has to be a public one, with PKCE")


def provider_of(settings: Settings, file: Path, url: str) -> Provider:
    """The provider of a file, for a desk that browsers reach at ``url``. Raises ValueError where the file is wrong."""
    return Provider(load(file), settings.sign_on_secret, f"{url.rstrip('/')}/login/back", machine_ms)
