"""Which settings count: the command line's, the environment's, the file's, else the defaults (R69)."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from sync.server.settings import Settings

DATABASE_VARIABLE = "DIARY_DATABASE"  # a password in a command's arguments is there for all to read
PICTURES_VARIABLE = "DIARY_PICTURES"
BYTES_A_GIGABYTE = 1_000_000_000


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
    }
    if settings.database_url is not None:
        parts = urlsplit(settings.database_url)
        # What stands before the @, but for the user's name, is nobody's to read over a shoulder.
        user, _, place = parts.netloc.rpartition("@")
        host = f"{user.partition(':')[0]}@{place}" if user else place
        shown["database_url"] = urlunsplit(parts._replace(netloc=host, query=""))
    return shown
