"""What a server could see (R46): each field of each stored header, table and request, by name.

`SEEN` is the rule's list, written out. What is found and does not stand in it is a defect: of the product, or
of the list, which only a person may lengthen.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Of every version: format, type, ids of account, contract and replica, n, newest head, key epoch, commitment.
_EVERY = {"v", "type", "account", "contract", "replica", "n", "head", "epoch", "commit"}
# Terms it must enforce or bill.
_TERMS = {
    f"terms.{name}"
    for name in (
        "state", "kind", "limit_minutes", "manual_allowed", "masking_allowed", "label_required", "rate_minor",
        "currency", "manual_weeks", "payer",
    )
}  # fmt: skip
_DEVICE = {f"devices.devices.{name}" for name in ("replica", "sign", "box", "successor_of", "revoked_from")}
SEEN: dict[str, set[str]] = {
    "capture": {"slot", "pictures"},
    "entry": {"slot", "vector", "life", "manual", "stamp"},
    "terms": {"state"} | _TERMS,
    "grant": {"grant.to", "grant.epoch"}
    | {f"grant.invitation.{name}" for name in ("auth", "expires_at_ms", "ends")},
    "joining": {f"seat.{name}" for name in ("sign", "box", "invitation")},
    "device_list": {f"devices.{name}" for name in ("number", "root", "recovery", "signer")} | _DEVICE,
    "request": {f"request.{name}" for name in ("kind", "week", "withdraws")},
    "acceptance": {f"acceptance.{name}" for name in ("request", "allows", "slots")},
    "dispute": {"dispute.act", "dispute.slots"},
    "redaction": {"redaction.slots"},
    # What was billed, paid and given back, and that contracts have one payer (docs/privacy.md).
    "bonus": {f"bonus.{name}" for name in ("week", "minor", "currency")},
    "payment": {f"payment.{name}" for name in ("id", "act", "invoice", "minor", "currency")},
    # A message's files are named as pictures are, by the hashes of what is sealed.
    "message": {"pictures"},
}
# What a request of a device or a browser may hold beside versions.
ASKED: dict[str, set[str]] = {
    "/v1/push": {"account", "replica", "versions", "signature"},
    "/v1/enrol": {"push", "token_hash"},
    "/v1/join": {"push", "token_hash"},
    "/v1/pull": {
        *("account", "cursors", "rows_max", "log_epoch", "awaited", "overlapping_from"),
        *("billing", "moved_from_ms"),  # whether to say how clients pay, and from when on payments moved
    },
    "/v1/weeks": {"account", "contract", "first_slots"},
    "/v1/device-list": {"account", "root", "nonce", "signature"},
}
_NAMED_BY_IDS = {"vector", "cursors"}  # their keys are replicas and contracts


def unexpected_fields(headers: Iterable[str]) -> set[str]:
    """Return the fields of headers that no rule lets a server see, each with its type."""
    found = set()
    for text in headers:
        header = json.loads(text)
        kind = header["type"]
        found |= {f"{kind}: {name}" for name in set(_fields(header)) - _EVERY - SEEN[kind]}
    return found


def _fields(value: dict[str, Any], under: str = "") -> Iterator[str]:
    for name, held in value.items():
        if isinstance(held, dict) and name not in _NAMED_BY_IDS:
            yield from _fields(held, f"{under}{name}.")
        elif isinstance(held, list) and held and isinstance(held[0], dict):
            for one in held:
                yield from _fields(one, f"{under}{name}.")
        else:
            yield under + name


def stored_headers(database: Path) -> list[str]:
    """Return the text of every header that a server has stored."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return [text for (text,) in connection.execute("SELECT header FROM version")]


def texts_beside(database: Path) -> dict[str, set[str]]:
    """Return all texts that a server stores outside of headers, by table and column."""
    found: dict[str, set[str]] = {}
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for (table,) in connection.execute(tables).fetchall():
            for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
                if kind == "TEXT" and (table, column) != ("version", "header"):
                    rows = connection.execute(f"SELECT DISTINCT {column} FROM {table}")  # names of its own
                    found[f"{table}.{column}"] = {text for (text,) in rows if text is not None}
    return found


def requests_in(recording: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and message of every JSON request in what a tap wrote down."""
    for part in recording.split(b"POST ")[1:]:
        path = part.split(b" ", 1)[0].decode()
        body = part.partition(b"\r\n\r\n")[2]
        if path in ASKED and body.startswith(b"{"):
            try:
                yield path, json.JSONDecoder().raw_decode(body.decode("utf-8", "replace"))[0]
            except json.JSONDecodeError:  # another connection's bytes came between
                continue


def unexpected_requests(recording: bytes) -> set[str]:
    """Return what requests hold beside what they may, each with its path."""
    return {
        f"{path}: {name}" for path, message in requests_in(recording) for name in message.keys() - ASKED[path]
    }
