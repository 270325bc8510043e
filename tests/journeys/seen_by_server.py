"""What a server could see (R46): each field of each stored header, table and request, by name.

`SEEN` is the rule's list, written out. What is found and does not stand in it is a defect: of the product, or
of the list, which only a person may lengthen.
"""

import base64
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h11

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
        *("account", "cursors", "roots", "rows_max", "log_epoch", "awaited", "overlapping_from"),
        *("billing", "moved_from_ms"),  # whether to say how clients pay, and from when on payments moved
    },
    "/v1/weeks": {"account", "contract", "first_slots"},
    "/v1/device-list": {"account", "root", "nonce", "signature"},
    # What a restored server lost: rows as they stood, with what it had signed of them (R43).
    "/v1/heal": {
        *("account", "replica", "nonce", "token_hash", "signature", "rows", "pushes", "answers", "pages"),
        *("opening", "log_epoch", "seals", "invoices", "heads", "is_all"),
    },
}
_STATEMENT = {"text", "signature"}
# What the parts of that hold; what they state was the server's own.
SHOWN: dict[str, set[str]] = {
    "rows": {"log_epoch", "index", "received_at_ms", "push", "header", "body_hash", "body", "wrap"},
    "pushes": {"replica", "hashes", "signature"},
    "pages": {"contract", "first", "leaves", "signature"},
    **dict.fromkeys(("answers", "opening", "seals", "invoices", "heads"), _STATEMENT),
}
# Columns of words of the protocol, and of what the server signed or its operator did, beside ids and hashes.
WORDS = {
    "version.type", "account_rule.because", "operator_act.who", "operator_act.deed", "operator_act.detail",
    "refusal.reason", "refusal.because", "seal.week", "seal.text", "opening.text",
}  # fmt: skip
_IDENTIFIER = re.compile(r"[0-9a-f]{64}|[0-9a-f]{32}")
# Where requests may go: the page's own files, pictures by their hashes, and doors that are asked for nothing.
DOORS = (
    r"GET /join",
    r"GET /client/[a-z]+\.(js|css|svg)",
    r"GET /v1/(server|nonce)",
    r"(HEAD|PUT|GET) /v1/pictures/…",
    *(f"POST {path}" for path in ASKED),
)
# What a request's HTTP headers say beside who asks: how bytes are coded, and what a browser says of itself.
HTTP_HEADERS = {
    *("host", "connection", "accept", "accept-encoding", "accept-language", "user-agent", "authorization"),
    *("content-type", "content-length", "range", "upload-offset", "if-none-match", "if-modified-since"),
    *(
        "origin",
        "cache-control",
        "pragma",
        "upgrade-insecure-requests",
        "service-worker",
        "priority",
        "referer",
    ),
    *("sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-purpose"),
    *(f"sec-fetch-{what}" for what in ("site", "mode", "user", "dest")),
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


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it went up the line."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Return where it went, questions too, each id and hash in it as `…`."""
        return _IDENTIFIER.sub("…", self.target)


def requests_in(upward: Path) -> Iterator[Sent]:
    """Yield every request that went up the connections of a tap, whole ones and none else."""
    for stream in sorted(upward.iterdir()):
        rest = stream.read_bytes()
        while rest:
            reading = h11.Connection(h11.SERVER)
            reading.receive_data(rest)
            request, body = reading.next_event(), b""
            while isinstance(part := reading.next_event(), h11.Data):
                body += bytes(part.data)
            if not isinstance(request, h11.Request) or not isinstance(part, h11.EndOfMessage):
                break  # the line was cut within it
            said = {bytes(name).decode(): bytes(value).decode() for name, value in request.headers}
            yield Sent(request.method.decode(), request.target.decode(), said, body)
            rest, _ = reading.trailing_data


def unexpected_requests(requests: Iterable[Sent]) -> set[str]:
    """Return what requests hold beside what they may: another door, header, or field of a message."""
    found = set()
    for sent in requests:
        door = f"{sent.method} {sent.path}"
        if not any(re.fullmatch(pattern, door) for pattern in DOORS):
            found.add(door)
        found |= {f"{door}, header {name}" for name in sent.headers.keys() - HTTP_HEADERS}
        # Only a service worker, looked for anew, says where it is asked for: at its own address.
        if not sent.headers.get("referer", sent.target).endswith(sent.target):
            found.add(f"{door}, referer {sent.headers['referer']}")
        if sent.method == "POST" and sent.path in ASKED:
            message = json.loads(sent.body)
            found |= {f"{door}: {name}" for name in message.keys() - ASKED[sent.path]}
            if sent.path == "/v1/heal":
                found |= {
                    f"{door}: {name}.{inner}"
                    for name, may in SHOWN.items()
                    for part in parts_shown(message.get(name))
                    for inner in part.keys() - may
                }
    return found


def parts_shown(held: object) -> list[dict[str, Any]]:
    """Return the parts of one field of what a restored server is shown: a list, by hash, or one alone."""
    if isinstance(held, dict):
        return [held] if held.keys() & _STATEMENT == _STATEMENT else list(held.values())
    return held if isinstance(held, list) else []


def headers_sent(requests: Iterable[Sent]) -> list[str]:
    """Return the text of every version's header in requests."""
    messages = [json.loads(sent.body) for sent in requests if sent.path in ASKED]
    return [
        version["header"]
        for message in messages
        for version in (*message.get("push", message).get("versions", ()), *message.get("rows", ()))
    ]


def unexpected_texts(database: Path) -> dict[str, set[str]]:
    """Return the texts beside headers that are neither ids, keys and hashes nor words of the protocol."""
    others = {
        column: {text for text in texts if not _IDENTIFIER.fullmatch(text)}
        for column, texts in texts_beside(database).items()
        if column not in WORDS
    }
    return {column: texts for column, texts in others.items() if texts}


def forms_of(secret: str) -> list[bytes]:
    """Return a text in the codings in which it could lie or travel."""
    raw = secret.encode()
    coded = {base64.b64encode(raw[start:]).rstrip(b"=")[1:-1] for start in range(3)}
    return [raw, raw.hex().encode(), secret.encode("utf-16-le"), *coded]
