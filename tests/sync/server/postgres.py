"""A real PostgreSQL of the tests' own: in a temporary folder, reached by a socket in it, gone afterwards."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

START_SECONDS = 300
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version'"


@dataclass
class Postgres:
    """One cluster; `url` names a database of its own each time."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_database(self) -> str:
        name = f"diary{next(self.numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as line:
            line.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    @staticmethod
    def empty(url: str) -> None:
        """Take every row out of a database's tables, where it has any."""
        with psycopg.connect(url, autocommit=True) as line:
            tables = [name for (name,) in line.execute(_TABLES)]
            if tables:
                line.execute(f"TRUNCATE {', '.join(tables)}".encode())

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    @staticmethod
    def database_of(url: str) -> str:
        return str(conninfo_to_dict(url)["dbname"])

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement of the cluster's owner in the first database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as line:
            cursor = line.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def cut_lines(self) -> None:
        """End every other connection, as a network or an operator does."""
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def restart(self) -> None:
        _control(self.folder, "restart")


def stored_rows(url: str) -> bytes:
    """Return all that the tables of a database hold, as bytes."""
    found = []
    with psycopg.connect(url) as line, line.cursor() as cursor:
        tables = cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(tables) > 5
        for (table,) in tables:
            with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)".encode()) as copy:
                found += [bytes(part) for part in copy]
    return b"".join(found)


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a cluster until the block ends; without `durable` it does not wait for the disk."""
    folder = Path(tempfile.mkdtemp(prefix="diary-pg-", dir="/tmp"))
    try:
        if os.getuid() == 0:
            os.chown(folder, *_owner())
        _run("initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
        with (folder / "data" / "postgresql.conf").open("a", encoding="ascii") as settings:
            settings.write(f"unix_socket_directories = '{folder}'\nlisten_addresses = ''\n")
            settings.write("autovacuum = off\n" if not durable else "")
            settings.write("" if durable else "fsync = off\nfull_page_writes = off\n")
        _control(folder, "start")
        try:
            yield Postgres(folder)
        finally:
            _control(folder, "stop")
    finally:
        shutil.rmtree(folder)


def _control(folder: Path, word: str) -> None:
    _run("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-m", "fast", "-w", word)


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs, which refuse to run as root: then as another user."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    found = str(places[-1]) if places else shutil.which(program)
    assert found is not None, f"{program} is missing: install postgresql (tests/system_packages.sh test)"
    other: dict[str, Any] = {}
    if os.getuid() == 0:
        user, group = _owner()
        other = {"user": user, "group": group, "extra_groups": []}
    done = subprocess.run(
        [found, *arguments],
        stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
        stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
        check=False,
        cwd="/",
        timeout=START_SECONDS,
        **other,
    )
    assert done.returncode == 0, (program, arguments, done.stderr)


def _owner() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        try:
            known = pwd.getpwnam(name)
        except KeyError:
            continue
        return known.pw_uid, known.pw_gid
    raise AssertionError("there is no user postgres or nobody")
