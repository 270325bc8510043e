"""A backup of the server as its operator has one: a copy of its folder, a dump of its database (R43)."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import psycopg

from sync.server.settings import Settings
from tests.model.serving import lay_back

_TABLES = """
    SELECT tablename
      FROM pg_tables
     WHERE schemaname = 'public'
       AND tablename <> 'schema_version'
"""


@dataclass(frozen=True)
class Backup:
    """Where the files lie, and the rows of each of PostgreSQL's tables."""

    folder: Path
    tables: dict[str, bytes]

    @classmethod
    def of(cls, settings: Settings, folder: Path) -> "Backup":
        """Copy what the server keeps while nobody asks it anything."""
        shutil.copytree(settings.folder, folder, ignore=shutil.ignore_patterns("*-shm"))
        return cls(folder, _dumped(settings.database_url))

    def put_back(self, settings: Settings, *, with_pictures: bool) -> None:
        """Put it into a stopped server's place; pictures that no backup holds stay as they are."""
        aside = settings.folder.with_name("pictures-of-today")
        if not with_pictures and settings.pictures.exists():
            settings.pictures.rename(aside)
        lay_back(self.folder, settings.folder)
        if aside.exists():
            shutil.rmtree(settings.pictures, ignore_errors=True)
            aside.rename(settings.pictures)
        _load(settings.database_url, self.tables)


def _dumped(url: str | None) -> dict[str, bytes]:
    if url is None:
        return {}
    rows: dict[str, bytes] = {}
    with psycopg.connect(url) as line, line.cursor() as cursor:
        for (table,) in cursor.execute(_TABLES).fetchall():
            with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)".encode()) as copy:
                rows[table] = b"".join(bytes(part) for part in copy)
    return rows


def _load(url: str | None, tables: dict[str, bytes]) -> None:
    if url is None:
        return
    with psycopg.connect(url) as line, line.cursor() as cursor:
        # As pg_restore does: a table may refer to one whose rows come later.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {', '.join(tables)}".encode())
        for table, rows in tables.items():
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)".encode()) as copy:
                copy.write(rows)
