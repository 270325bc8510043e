"""Headers that are read and headers that are refused, as the product judges them (R32, R46).

`tests/vectors/header.json` binds the client's page to `diary.rules.segment.parse_header`. Drawn anew by
`python -m tests.javascript.headers`.
"""

import json
from pathlib import Path
from typing import Any

from diary.rules.segment import MalformedHeaderError, parse_header

PINNED = Path(__file__).parent.parent / "vectors" / "header.json"
ID, OTHER, HASH = "ab" * 16, "cd" * 16, "0f" * 32
ANY = {"v": 1, "account": ID, "contract": OTHER, "replica": ID, "n": 3, "head": None}
CAPTURE = {**ANY, "type": "capture", "slot": 2939616, "pictures": [[HASH, 4096]], "epoch": 1, "commit": HASH}
ENTRY = {
    **ANY, "type": "entry", "slot": 2939616, "vector": {ID: 3, OTHER: 1}, "life": 0, "manual": False,
    "stamp": [1763770300000, ID], "epoch": 1, "commit": HASH,
}  # fmt: skip
IN_CLEAR: dict[str, Any] = {
    "state": "active", "kind": "hourly", "limit_minutes": 2400, "manual_allowed": True,
    "masking_allowed": True, "label_required": False, "rate_minor": 6000, "currency": "USD",
}  # fmt: skip
TERMS = {**ANY, "type": "terms", "epoch": 1, "commit": HASH, "terms": IN_CLEAR}
GRANT = {**ANY, "type": "grant", "grant": {"to": OTHER, "epoch": 1}}
DEVICE = {"replica": ID, "sign": HASH, "box": HASH}
DEVICES: dict[str, Any] = {
    "number": 1, "root": HASH, "recovery": HASH, "signer": "root", "devices": [DEVICE],
}  # fmt: skip
LIST = {**ANY, "type": "device_list", "devices": DEVICES}
GOOD = {"capture": CAPTURE, "entry": ENTRY, "terms": TERMS, "grant": GRANT, "device_list": LIST}

# Each is laid over the header of that name; "-" takes the field away.
CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("capture", {"v": 2}), ("capture", {"v": "1"}), ("capture", {"v": True}),
    ("capture", {"type": "captures"}),
    ("capture", {"account": ID[:31]}), ("capture", {"account": ID.upper()}), ("capture", {"contract": None}),
    ("capture", {"replica": "-"}), ("capture", {"n": 0}), ("capture", {"n": -1}), ("capture", {"n": 2**53}),
    ("capture", {"n": 2**53 - 1}), ("capture", {"n": None}), ("capture", {"n": 1.5}), ("capture", {"n": "3"}),
    ("capture", {"head": "-"}), ("capture", {"head": [OTHER, 1, 2, HASH]}),
    ("capture", {"head": [OTHER, 1, 2]}),
    ("capture", {"head": [OTHER, 1, "2", HASH]}), ("capture", {"colour": 1}), ("capture", {"slot": "-"}),
    ("capture", {"slot": -1}), ("capture", {"slot": 2**28}), ("capture", {"slot": 2**28 - 1}),
    ("capture", {"slot": 0}), ("capture", {"slot": None}), ("capture", {"pictures": "-"}),
    ("capture", {"pictures": []}), ("capture", {"pictures": [[HASH, 1]] * 9}),
    ("capture", {"pictures": [[HASH, 1]] * 8}), ("capture", {"pictures": [[HASH, 0]]}),
    ("capture", {"pictures": [[HASH[:-1], 1]]}), ("capture", {"pictures": [[HASH]]}),
    ("capture", {"pictures": {}}), ("capture", {"commit": "-"}), ("capture", {"commit": HASH.upper()}),
    ("capture", {"epoch": "-"}), ("capture", {"epoch": None}), ("capture", {"vector": {ID: 3}}),
    ("capture", {"life": 0}), ("capture", {"manual": False}), ("capture", {"vector": None, "life": None}),
    ("entry", {"slot": "-"}), ("entry", {"life": "-"}), ("entry", {"life": -1}), ("entry", {"life": 7}),
    ("entry", {"life": 1, "commit": "-", "epoch": "-", "stamp": "-"}),
    ("entry", {"commit": "-", "epoch": "-"}),
    ("entry", {"life": 1, "commit": "-"}), ("entry", {"manual": "-"}), ("entry", {"manual": 1}),
    ("entry", {"pictures": []}), ("entry", {"vector": "-"}), ("entry", {"vector": {}}),
    ("entry", {"vector": {OTHER: 3}}), ("entry", {"vector": {ID: 4}}),
    ("entry", {"vector": {ID: 3, OTHER: 0}}),
    ("entry", {"vector": {ID: 3, "x": 1}}), ("entry", {"vector": {ID: 3, OTHER: "1"}}),
    ("entry", {"vector": {ID: 3, **{f"{number:032x}": 1 for number in range(999)}}}),
    ("entry", {"vector": {ID: 3, **{f"{number:032x}": 1 for number in range(1000)}}}),
    ("entry", {"stamp": None}), ("entry", {"stamp": [1]}), ("entry", {"stamp": [-1, ID]}),
    ("entry", {"stamp": [2**53, ID]}), ("entry", {"stamp": [5, "x"]}), ("entry", {"stamp": {}}),
    ("terms", {"terms": "-"}), ("terms", {"terms": {}}), ("terms", {"terms": {**IN_CLEAR, "more": 1}}),
    ("terms", {"terms": {**IN_CLEAR, "limit_minutes": None}}),
    ("terms", {"terms": {**IN_CLEAR, "limit_minutes": -1}}),
    ("terms", {"terms": {**IN_CLEAR, "rate_minor": -1}}),
    ("terms", {"terms": {**IN_CLEAR, "rate_minor": 2**53}}),
    ("terms", {"terms": {**IN_CLEAR, "currency": "usd"}}),
    ("terms", {"terms": {**IN_CLEAR, "currency": "USDX"}}),
    ("terms", {"terms": {**IN_CLEAR, "state": "open"}}),
    ("terms", {"terms": {**IN_CLEAR, "manual_allowed": None}}),
    ("grant", {"grant": "-"}), ("grant", {"grant": None}), ("grant", {"grant": {"to": OTHER}}),
    ("device_list", {"devices": "-"}),
    ("device_list", {"devices": {**DEVICES, "devices": [{"replica": ID}]}}),
    ("device_list", {"devices": {**DEVICES, "devices": [{**DEVICE, "successor_of": None}]}}),
    ("device_list", {"devices": {**DEVICES, "devices": [{**DEVICE, "revoked_from": 4}]}}),
    ("device_list", {"devices": {**DEVICES, "devices": [{**DEVICE, "revoked_from": "4"}]}}),
)  # fmt: skip
TEXTS = (
    "", "null", "[]", "7", '"text"', "{", "[" * 3000, '{"v":1,}', "\ufeff" + json.dumps(CAPTURE),
    f" {json.dumps(CAPTURE)} ", json.dumps(CAPTURE) + "x",
    json.dumps(CAPTURE).replace('"n": 3', '"n": 3.0'),
    json.dumps(CAPTURE).replace('"n": 3', '"n": 3e0'),
    json.dumps(CAPTURE).replace('"v": 1', '"v": 2, "v": 1'),
    json.dumps({**CAPTURE, "commit": HASH + " " * 66_000}),
)  # fmt: skip


def _changed(name: str, change: dict[str, Any]) -> str:
    header = {**GOOD[name], **change}
    return json.dumps({field: value for field, value in header.items() if value != "-"})


def _judged(text: str) -> str:
    try:
        parse_header(text.encode())
    except MalformedHeaderError:
        return "malformed"
    return "header"


def text() -> str:
    """Return the file's text."""
    named = [(name, json.dumps(header)) for name, header in GOOD.items()]
    named += [(f"{name}, {json.dumps(change)[:60]}", _changed(name, change)) for name, change in CHANGES]
    named += [(f"the text {found[:20]!r}", found) for found in TEXTS]
    cases = [{"name": name, "text": found, "expect": _judged(found)} for name, found in named]
    about = "Headers as diary/rules/segment.py reads or refuses them."
    return json.dumps({"about": about, "cases": cases}, indent=0, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    PINNED.write_text(text(), encoding="utf-8")
