"""The root of a log that was noted is always that of the tree as it is (R56)."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection

import pytest

from diary.evidence.merkle import root_of
from diary.evidence.receipt import Cursor
from diary.rules.ids import ContractId
from diary.store import connection as files
from diary.store import log_trees
from tests.rule import rule

CONTRACT = ContractId("c" * 32)
LEAVES = [hashlib.sha256(bytes([number])).digest() for number in range(150)]  # more than two tiles


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    files.create_file(tmp_path)
    with closing(files.connect(tmp_path)) as connection:
        log_trees.grow(connection, CONTRACT, 1, LEAVES[:100])
        log_trees.note_root(connection, CONTRACT, 100, root_of(LEAVES[:100]).hex())
        yield connection


@rule("R56")
def test_a_root_is_not_worked_out_again_where_it_was_noted(connection: Connection) -> None:
    connection.execute("DELETE FROM log_tile")
    assert log_trees.roots(connection) == {CONTRACT: root_of(LEAVES[:100]).hex()}


@rule("R56")
def test_a_noted_root_is_forgotten_when_the_log_grows_is_cut_or_read_again(connection: Connection) -> None:
    log_trees.grow(connection, CONTRACT, 1, LEAVES[100:])
    assert log_trees.roots(connection) == {CONTRACT: root_of(LEAVES).hex()}
    log_trees.note_root(connection, CONTRACT, 150, root_of(LEAVES).hex())
    log_trees.rewind(connection, CONTRACT, 70)
    assert log_trees.roots(connection) == {CONTRACT: root_of(LEAVES[:70]).hex()}
    log_trees.note_root(connection, CONTRACT, 70, root_of(LEAVES[:70]).hex())
    log_trees.cut(connection, CONTRACT, Cursor(2, 65))
    assert log_trees.roots(connection) == {CONTRACT: root_of(LEAVES[:65]).hex()}


@rule("R56")
def test_a_root_of_another_length_is_not_noted(connection: Connection) -> None:
    log_trees.grow(connection, CONTRACT, 1, LEAVES[100:])
    log_trees.note_root(connection, CONTRACT, 100, root_of(LEAVES[:100]).hex())
    assert log_trees.roots(connection) == {CONTRACT: root_of(LEAVES).hex()}
