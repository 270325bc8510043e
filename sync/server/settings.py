"""What an operator chooses about a server (R69)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from diary.rules.invoice import LIFE, Life

DEFAULT_HOST = "127.0.0.1"  # whoever opens the server to a network says so
DEFAULT_PORT = 8440
HOUR_MILLIS = 3_600_000
REVIEW_HOURS = LIFE.review_ms // HOUR_MILLIS
SECURITY_HOURS = LIFE.security_ms // HOUR_MILLIS

NewAccounts = Literal["open", "admitted"]
GatewayName = Literal["by_hand", "stripe"]
ALL_ACCOUNTS = "all"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """By whom clients pay the bills of which accounts (R63).

    `accounts` are those whose money goes to whoever owns the key: ids, or `ALL_ACCOUNTS`. Clients of all
    others pay by hand. `public_url` is this server as its clients' browsers see it, to which the gateway
    sends them back. The secrets stand in no text that is made of this; `stripe_api` is for a fake.
    """

    name: GatewayName = "by_hand"
    accounts: tuple[str, ...] = ()
    public_url: str = ""
    stripe_key: str = field(default="", repr=False)
    stripe_webhook_secret: str = field(default="", repr=False)
    stripe_api: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a server keeps its files and where it listens.

    `folder` holds the embedded database, the server's key (readable by its owner alone) and the pictures.
    `database_url` names a PostgreSQL database that takes the embedded one's place, `pictures_url` a bucket
    of S3-compatible storage that takes the place of the folder of pictures (R69).
    `picture_quota_bytes` is how much room one account's pictures may take, None for no limit (R44).
    `trusted_proxies` are the addresses or networks whose word for who asks is taken (`X-Forwarded-For`).
    `new_accounts`: whether anybody may open one, or only those that the operator admitted.
    `gateway` is how clients pay.
    `metrics_port` is where Prometheus reads what is counted, None for nowhere.
    `review_hours` and `security_hours` are the lengths of an invoice's life, from its week's lock (R62).
    """

    folder: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    picture_quota_bytes: int | None = None
    database_url: str | None = None
    pictures_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    new_accounts: NewAccounts = "open"
    metrics_host: str = DEFAULT_HOST
    metrics_port: int | None = None
    gateway: GatewaySettings = GatewaySettings()
    review_hours: int = REVIEW_HOURS
    security_hours: int = SECURITY_HOURS

    @property
    def life(self) -> Life:
        """Return how long an invoice is in review, and then in its security period (R62)."""
        return Life(self.review_hours * HOUR_MILLIS, self.security_hours * HOUR_MILLIS)

    @property
    def database(self) -> Path:
        """Return where the embedded database lies."""
        return self.folder / "server.db"

    @property
    def key(self) -> Path:
        """Return where the server's signing key lies."""
        return self.folder / "server.key"

    @property
    def clock_confirmation(self) -> Path:
        """Return the file that holds when the operator last confirmed the clock (R6)."""
        return self.folder / "clock-confirmed"

    @property
    def pictures(self) -> Path:
        """Return the folder of sealed pictures."""
        return self.folder / "pictures"
