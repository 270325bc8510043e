"""Which settings count: the command line's, the environment's, the file's, else the defaults (R69)."""

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from diary.errors import UsageError

if TYPE_CHECKING:
    from sync.server.settings import GatewaySettings, Settings
    from sync.server.settings_file import SettingsFile

DATABASE_VARIABLE = "DIARY_DATABASE"  # a password in a command's arguments is there for all to read
PICTURES_VARIABLE = "DIARY_PICTURES"
STRIPE_KEY_VARIABLE = "DIARY_STRIPE_KEY"
STRIPE_WEBHOOK_VARIABLE = "DIARY_STRIPE_WEBHOOK_SECRET"
BYTES_A_GIGABYTE = 1_000_000_000


class BadGatewayError(UsageError):
    """The payment gateway that the settings name cannot be used as they say it."""

    says = "The payment gateway cannot be used: {because}."
    mend = "What it needs is in docs/billing.md; nothing was started."


@dataclass(frozen=True, slots=True)
class Said:
    """What was said on the command line; None where nothing was."""

    host: str | None = None
    port: int | None = None
    database: str | None = None
    pictures: str | None = None
    picture_quota_gb: int | None = None


def chosen(folder: Path, file: Path | None, said: Said) -> "Settings":
    """Return the settings of a server in this folder; a file that was not named is read where there is one.

    Raises:
        BadSettingsError: The file cannot be read, or says something that is no setting.
    """
    from sync.server.settings import Settings
    from sync.server.settings_file import FILE_NAME, SettingsFile, read_settings

    beside = folder / FILE_NAME
    if file is None and beside.exists():
        file = beside
    kept = SettingsFile() if file is None else read_settings(file)
    quota_gb = kept.picture_quota_gb if said.picture_quota_gb is None else said.picture_quota_gb
    return Settings(
        folder=folder,
        host=said.host or kept.host,
        port=kept.port if said.port is None else said.port,
        picture_quota_bytes=None if quota_gb is None else quota_gb * BYTES_A_GIGABYTE,
        database_url=database_url(said.database) or kept.database,
        pictures_url=said.pictures or os.environ.get(PICTURES_VARIABLE) or kept.pictures,
        trusted_proxies=kept.trusted_proxies,
        new_accounts=kept.new_accounts,
        metrics_host=kept.metrics_host,
        metrics_port=kept.metrics_port,
        review_hours=kept.review_hours,
        security_hours=kept.security_hours,
        gateway=_gateway(kept),
    )


def _gateway(kept: "SettingsFile") -> "GatewaySettings":
    """Return how clients pay; the environment's secrets count before the file's.

    Raises:
        BadGatewayError: Something that the gateway needs is missing or cannot be.
    """
    from sync.server.settings import ALL_ACCOUNTS, GatewaySettings

    chosen = GatewaySettings(
        name=kept.gateway,
        accounts=kept.gateway_accounts,
        public_url=kept.public_url.rstrip("/"),
        stripe_key=os.environ.get(STRIPE_KEY_VARIABLE) or kept.stripe_key,
        stripe_webhook_secret=os.environ.get(STRIPE_WEBHOOK_VARIABLE) or kept.stripe_webhook_secret,
        stripe_api=kept.stripe_api,
    )
    if chosen.name == "by_hand":
        return chosen
    if not (chosen.stripe_key and chosen.stripe_webhook_secret):
        raise BadGatewayError(
            because=f"it needs {STRIPE_KEY_VARIABLE} and {STRIPE_WEBHOOK_VARIABLE}, or their keys in the file"
        )
    for name, url in (("public_url", chosen.public_url), ("stripe_api", chosen.stripe_api or "https://x")):
        if not _is_safe(url):
            raise BadGatewayError(because=f"{name} begins with https:// (http:// on this machine alone)")
    for account in chosen.accounts:
        if account != ALL_ACCOUNTS and not re.fullmatch("[0-9a-f]{32}", account):
            raise BadGatewayError(because=f"gateway_accounts: “{account}” is no account's id")
    return chosen


def _is_safe(url: str) -> bool:
    """Return whether what is said to that address cannot be read on its way."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    )


def database_url(said: str | None) -> str | None:
    """Return the database that the command line or the environment names."""
    return said or os.environ.get(DATABASE_VARIABLE) or None


def shown_settings(settings: "Settings") -> dict[str, str | int | None]:
    """Return the settings by their names, to be shown: without the password of a database."""
    shown: dict[str, str | int | None] = {
        name: ", ".join(value)
        if isinstance(value, tuple)
        else str(value)
        if isinstance(value, Path)
        else value
        for name, value in asdict(settings).items()
        if name != "gateway"
    }
    gateway = settings.gateway
    shown |= {"gateway": gateway.name, "gateway_accounts": ", ".join(gateway.accounts)}
    shown["public_url"] = gateway.public_url or None
    if settings.database_url is not None:
        parts = urlsplit(settings.database_url)
        # What stands before the @, but for the user's name, is nobody's to read over a shoulder.
        user, _, place = parts.netloc.rpartition("@")
        host = f"{user.partition(':')[0]}@{place}" if user else place
        shown["database_url"] = urlunsplit(parts._replace(netloc=host, query=""))
    return shown
