"""Invoices with what the parties said of them, drawn from a seed, and what the diary shows of each (R61-R63).

They bind the client's page to the diary: `tests/vectors/invoice_shown.json` holds both, JavaScript must show
the same. Drawn anew by `python -m tests.javascript.billing`.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any, get_args

import msgspec

from diary.billing_methods import event_of
from diary.rules.ids import AccountId, Millis, Slot
from diary.rules.invoice import charges_of
from diary.rules.invoice_borne import Own, borne
from diary.rules.invoice_parts import InvoiceLine, InvoicePart
from diary.rules.invoice_shown import Known, shown
from diary.rules.invoice_view import InvoiceView
from diary.rules.ledger import GatewayEvent, GatewayWord
from diary.rules.merge import Held
from diary.rules.money_parts import SETTLING
from diary.rules.segment import Header
from diary.rules.timesheet import amount_minor
from tests.diary.rules.billed import AVAILABLE, CLOSED, FOREVER, PAYER, REVIEW_ENDS, line
from tests.diary.rules.made import ACCOUNT, CONTRACT, WEEK, received
from tests.diary.rules.said import AGENCY, bonus, dispute, payment, received_by_agency

PINNED = Path(__file__).parent.parent / "vectors" / "invoice_shown.json"
CASES = 60
RATES = {"USD": 6000, "JPY": 4321, "KWD": 12345, "EUR": 7777}


def _part(
    issuer: AccountId, number: int, currency: str, *lines: InvoiceLine, corrects: int | None = None
) -> InvoicePart:
    return InvoicePart(
        account=issuer,
        contract=CONTRACT,
        payer=PAYER,
        currency=currency,
        week=WEEK.name,
        number=number,
        lines=lines,
        closed_at_ms=CLOSED,
        review_ends_at_ms=REVIEW_ENDS,
        available_at_ms=AVAILABLE,
        corrects=corrects,
    )


def _acts(chance: Random, slots: list[Slot], currency: str) -> Iterator[Header]:
    """Yield what the parties said: sensible or not, the fold takes what it finds."""
    ids = [letter * 32 for letter in "789"]
    for n in range(1, 1 + chance.randrange(10)):
        some = sorted(chance.sample(slots, chance.randrange(1, 1 + min(3, len(slots)))))
        what = chance.choice(("raised", "raised", "withdrawn", "conceded", "replied", "pay", "pay", "pay"))
        if what == "pay":
            act = chance.choice(("paid", "paid", "received", "received", "refunded", "withdrawn_claim"))
            number = chance.choice((1, 1, 1, 2, 9))
            minor = chance.choice((100, 2500, 60_000))
            paid = {"id_": chance.choice(ids), "invoice": number, "currency": currency}
            issuer = chance.choice((None, AGENCY))
            if issuer is not None and act in SETTLING:
                yield received_by_agency(n, act, minor, **paid)  # type: ignore[arg-type]  # a word of them
            else:
                yield payment(n, act, minor, issuer=issuer, **paid)  # type: ignore[arg-type]  # as above
        else:
            yield dispute(n, what, *some)


WORDS: tuple[GatewayWord, ...] = get_args(GatewayWord)


def _moved(chance: Random, currency: str) -> list[GatewayEvent]:
    """Return what the gateway told, in any order: some of it twice, of another invoice, or taken back."""
    found: list[GatewayEvent] = []
    for number in range(chance.choice((0, 0, 1, 2, 4, 6))):
        event = GatewayEvent(
            id=f"{(what := chance.choice(('paid', 'paid', *WORDS)))}/{number % 5}/a",
            at_ms=Millis(CLOSED + chance.randrange(-2, 6) * 1_800_000),
            what=what,
            issuer=chance.choice((ACCOUNT, AGENCY)),
            contract=CONTRACT,
            invoice=chance.choice((1, 1, 1, 2)),
            currency=chance.choice((currency, currency, currency, "GBP")),
            minor=chance.choice((100, 2500, 60_000)),
        )
        found.append(event)
        before = event.takes_back
        if before is not None and chance.random() < 0.7:
            first = WORDS[[f"{word}/{number % 5}/a" for word in WORDS].index(before)]
            found.append(replace(event, id=before, what=first, at_ms=Millis(event.at_ms - 900_000)))
    chance.shuffle(found)
    return found


def _told(chance: Random, currency: str) -> list[dict[str, object]]:
    """Return it as a server tells it, with what no diary understands and another contract's."""
    told: list[dict[str, object]] = [asdict(event) for event in _moved(chance, currency)]
    for one in told:
        if one["issuer"] == ACCOUNT and chance.random() < 0.3:
            del one["issuer"]  # as a server told it before there were issuers
    for one in list(told):
        changed = chance.choice(({"what": "blessed"}, {"minor": "3"}, {"contract": "9" * 32}, {"id": None}))
        told.insert(chance.randrange(1 + len(told)), one | {"id": f"paid/{len(told)}"} | changed)
    return told


def _case(seed: int) -> dict[str, Any]:
    chance = Random(seed)  # a seed, so that both sides draw the same
    currency = chance.choice(tuple(RATES))
    rate = RATES[currency]
    slots = [Slot(slot) for slot in WEEK.slots[: chance.randrange(1, 30)]]
    hours = line(amount_minor(len(slots), rate), segments=len(slots), rate_minor=rate)
    thanks = bonus(50, 777, currency=currency)
    extra = line(777, what="bonus", segments=0, rate_minor=0, act=thanks.name)
    issuer = chance.choice((ACCOUNT, AGENCY))
    first = _part(issuer, 1, currency, hours, *([extra] if chance.random() < 0.4 else []))
    every = [first]
    if chance.random() < 0.3:
        less = line(-amount_minor(1, rate), segments=-1, rate_minor=rate)
        every.append(_part(issuer, 2, currency, less, corrects=1))
    said = [*_acts(chance, slots, currency), thanks]
    acts = [received(header, CLOSED + 3_600_000 * (1 + place)) for place, header in enumerate(said)]
    due = sum(one.amount_minor for part in every for one in part.lines if one.what == "hours")
    off = chance.choice((0, 0, 0, 1, -1))
    words = {header.name: f"said in {header.n}" for header in said if chance.random() < 0.7}
    now_ms = Millis(chance.choice((CLOSED + 1, REVIEW_ENDS - 1, REVIEW_ENDS, AVAILABLE, FOREVER)))
    own = {charge.key: charge for part in every for charge in charges_of([part])}
    key = next(key for key in own if key[2] == "hours")
    charge = own[key]
    own[key] = type(charge)(currency, msgspec.structs.replace(charge.line, amount_minor=due + off))
    told = _told(chance, currency)
    events = [event_of(one, ACCOUNT) for one in told]
    moved = [one for one in events if one is not None and one.contract == CONTRACT]
    known = Known("Orchard", "Ada", acts, {WEEK.name: frozenset(slots)}, words, moved)
    views = [
        shown(part, {CONTRACT: known}, borne(part, every, Own(own, {CONTRACT: PAYER})), now_ms)
        for part in every
    ]
    return {
        "name": f"seed {seed}",
        "parts": [msgspec.to_builtins(part) for part in every],
        "billing": slots,
        "own": {"hours": due + off, "bonus": 777},
        "bonus": list(thanks.name),
        "now_ms": now_ms,
        "acts": [_act(act) for act in acts],
        "moved": told,
        "words": {f"{replica}:{n}": text for (replica, n), text in words.items()},
        "expect": [_shown(view) for view in views],
    }


def _act(act: Held) -> dict[str, Any]:
    return {"received_at_ms": act.received_at_ms, "header": json.loads(act.header.to_bytes())}


def _shown(view: InvoiceView) -> dict[str, Any]:
    """Return a view in the fields of the page's."""
    return {
        "number": view.number,
        "state": view.state,
        "agrees": view.agrees,
        "own_total_minor": view.own_total_minor,
        "total_minor": view.total_minor,
        "disputed_minor": view.disputed_minor,
        "credited_minor": view.credited_minor,
        "paid_minor": view.paid_minor,
        "due_minor": view.due_minor,
        "steps": [[step.state, step.from_ms] for step in view.steps],
        "notes": [one.note for one in view.lines],
        "payments": [
            [one.id, one.state, one.amount_minor, one.at_ms, one.reference] for one in view.payments
        ],
    }


def text() -> str:
    """Return the cases as they are pinned."""
    about = "One contract's part of invoices, the rows about them and what is shown of each (R61-R63)."
    cases = [_case(seed) for seed in range(CASES)]
    return json.dumps({"about": about, "cases": cases}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PINNED.write_text(text(), encoding="utf-8")
