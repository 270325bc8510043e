"""An operator's settings as a file: TOML, every key optional, an unknown one refused by name (R69).

What stands on the command line counts before it, then the environment, then the file, then the defaults.
"""

import ipaddress
from pathlib import Path
from typing import Annotated

import msgspec

from diary.errors import UsageError
from sync.server.settings import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    REVIEW_HOURS,
    SECURITY_HOURS,
    GatewayName,
    NewAccounts,
)

FILE_NAME = "server.toml"  # in the server's folder it is read without being named
PORT_END = 65_536
HOURS_MAX = 24 * 366  # longer than any review or security period makes sense

Port = Annotated[int, msgspec.Meta(ge=0, lt=PORT_END)]
Hours = Annotated[int, msgspec.Meta(ge=0, le=HOURS_MAX)]


class BadSettingsError(UsageError):
    """The settings file cannot be read, or says something that is no setting."""

    says = "The settings in {path} cannot be used: {because}."
    mend = "Each key and what it may be is in docs/operate.md; nothing was started."


class SettingsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file may hold; a key that is not there is None, or its default.

    `picture_quota_gb` is in units of 10^9 bytes. `trusted_proxies` are addresses or networks.
    """

    host: str = DEFAULT_HOST
    port: Port = DEFAULT_PORT
    database: str | None = None
    pictures: str | None = None
    picture_quota_gb: Annotated[int, msgspec.Meta(ge=0)] | None = None
    trusted_proxies: tuple[str, ...] = ()
    new_accounts: NewAccounts = "open"
    metrics_host: str = DEFAULT_HOST
    metrics_port: Port | None = None
    gateway: GatewayName = "by_hand"
    gateway_accounts: tuple[str, ...] = ()
    public_url: str = ""
    stripe_key: str = ""
    stripe_webhook_secret: str = ""
    stripe_api: str | None = None
    review_hours: Hours = REVIEW_HOURS
    security_hours: Hours = SECURITY_HOURS


def read_settings(path: Path) -> SettingsFile:
    """Return what the file holds.

    Raises:
        BadSettingsError: It is not there, not TOML, or holds a key or a value that is no setting.
    """
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=SettingsFile)
    except OSError as error:
        raise BadSettingsError(path=path, because=error.strerror or type(error).__name__) from error
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError) as error:
        raise BadSettingsError(path=path, because=str(error).rstrip(".")) from error
    for proxy in found.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            raise BadSettingsError(path=path, because=f"trusted_proxies: {error}") from error
    return found
