"""No sequence of events makes or loses a minor unit, whatever the currency, rate and order (R61, R62, R63).

The oracle was written apart: it keeps two sums, what the client has to pay and what has come, and the share
of slots by exact fractions; it knows neither entries nor stages.
"""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from diary.rules.act_parts import DisputeInClear
from diary.rules.ids import ContractId, Millis, Slot
from diary.rules.invoice import Charge, invoices, part_of, still_due
from diary.rules.invoice_parts import InvoiceLine
from diary.rules.ledger import Facts, GatewayEvent, GatewayWord, Position, entries
from diary.rules.ledger_entry import LedgerEntry, balances, to_post
from diary.rules.merge import Held
from diary.rules.money_parts import PaymentInClear
from diary.rules.timesheet import amount_minor
from tests.diary.rules.billed import AVAILABLE, CLOSED, FOREVER, REVIEW_ENDS, issue, position
from tests.diary.rules.made import ACCOUNT, CONTRACT, LAPTOP, WEEK
from tests.diary.rules.said import BROWSER, row
from tests.rule import rule

SLOTS = [Slot(slot) for slot in WEEK.slots[:12]]
rates = st.one_of(st.integers(0, 30), st.integers(1, 10**7), st.sampled_from([5999, 6001, 33333, 1]))
instants = st.integers(CLOSED, AVAILABLE + 1000)


words = st.sampled_from(
    ["raised", "withdrawn", "conceded", "received", "refunded", "paid", "g:paid", "g:refunded", "g:paid_out"]
)
happenings = st.lists(
    st.tuples(
        words, instants, st.lists(st.sampled_from(SLOTS), min_size=1, max_size=5), st.integers(1, 9000)
    ),
    max_size=14,
)


def exact(segments: int, rate_minor: int) -> int:
    """Return segments times rate by six, rounded half up as decimals are."""
    amount = Fraction(segments * rate_minor, 6)
    tenths = Decimal(amount.numerator * 10**6 // amount.denominator) / 10**6
    return int(tenths.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def facts_of(drawn: list[tuple[str, int, list[Slot], int]]) -> Facts:
    """Return the rows and events, in the log's order: that of their instants."""
    acts, gateway = [], []
    for n, (word, at_ms, slots, minor) in enumerate(sorted(drawn, key=lambda one: one[1]), 1):
        named = tuple(sorted(set(slots)))
        if word.startswith("g:"):
            told: GatewayWord = word[2:]  # type: ignore[assignment]  # drawn from those that there are
            gateway.append(
                GatewayEvent(f"{word}/{n}", Millis(at_ms), told, ACCOUNT, CONTRACT, 1, "USD", minor)
            )
            continue
        if word in {"raised", "withdrawn", "conceded"}:
            by = LAPTOP if word == "conceded" else BROWSER
            header = row("dispute", by, n, dispute=DisputeInClear(act=word, slots=named))  # type: ignore[arg-type]  # as above
        else:
            by = BROWSER if word == "paid" else LAPTOP
            part = PaymentInClear(id=f"{n:032x}", act=word, invoice=1, minor=minor, currency="USD")  # type: ignore[arg-type]  # as above
            header = row("payment", by, n, payment=part)
        acts.append(Held(header, Millis(at_ms)))
    return Facts(acts, gateway)


def expected(drawn: list[tuple[str, int, list[Slot], int]], rate_minor: int) -> dict[str, int]:
    """The oracle: what the client owes, what has come and gone, what is disputed and what is earned."""
    disputed: set[Slot] = set()
    conceded: set[Slot] = set()
    came = gone = out = at_gateway = 0
    for word, _, slots, minor in sorted(drawn, key=lambda one: one[1]):
        match word:
            case "raised":
                disputed |= set(slots) - conceded
            case "withdrawn":
                disputed -= set(slots)
            case "conceded":
                conceded |= disputed & set(slots)
                disputed -= set(slots)
            case "received":
                came += minor
            case "refunded":
                gone += minor
            case "g:paid":
                at_gateway += minor
            case "g:refunded":
                at_gateway -= minor
                gone += minor
            case "g:paid_out":
                at_gateway -= minor
                out += minor
    kept = exact(len(SLOTS) - len(conceded), rate_minor)
    open_share = kept - exact(len(SLOTS) - len(conceded) - len(disputed), rate_minor)
    by_gateway_back = sum(minor for word, _, _, minor in drawn if word == "g:refunded")
    by_hand = came - (gone - by_gateway_back)
    return {
        "earned": kept,
        "disputed": open_share,
        "by_hand": by_hand,
        "gateway": at_gateway,
        "paid_out": out,
        "came": came + sum(minor for word, _, _, minor in drawn if word == "g:paid"),
        "gone": gone,
    }


def drawn_position(rate_minor: int) -> Position:
    whole = amount_minor(len(SLOTS), rate_minor)
    return position(whole, billing=frozenset(SLOTS), rate_minor=rate_minor)


@rule("R62")
@rule("R63")
@settings(max_examples=300)
@given(happenings, rates)
def test_the_ledger_comes_to_what_an_oracle_written_apart_says(
    drawn: list[tuple[str, int, list[Slot], int]], rate_minor: int
) -> None:
    sums = balances(entries(drawn_position(rate_minor), facts_of(drawn), FOREVER))
    should = expected(drawn, rate_minor)
    mine = -sum(sums.get(name, 0) for name in ("available", "withdrawn", "disputed"))
    assert sum(sums.values()) == 0
    assert not sums.keys() & {"in_review", "security_period"}, "all steps were taken"
    assert mine == should["earned"]
    assert -sums.get("disputed", 0) == should["disputed"]
    assert sums.get("paid_by_hand", 0) == should["by_hand"]
    assert (sums.get("gateway", 0), sums.get("paid_out", 0)) == (should["gateway"], should["paid_out"])
    owes, refunded = sums.get("client_owes", 0), sums.get("refunded", 0)
    # What was paid too much is settled by what was given back, as far as that goes.
    settled = min(should["gone"], max(0, should["came"] - should["earned"]))
    assert owes == should["earned"] - should["came"] + settled
    assert refunded == should["gone"] - settled
    free, reached = (
        should["earned"] - should["disputed"],
        sums.get("paid_by_hand", 0) + should["paid_out"] + refunded,
    )
    assert -sums.get("withdrawn", 0) == min(max(reached, 0), free)


@rule("R62")
@settings(max_examples=200)
@given(happenings, rates, instants, st.integers(0, 2**32))
def test_delivery_doubled_reordered_or_late_changes_nothing(
    drawn: list[tuple[str, int, list[Slot], int]], rate_minor: int, at_ms: int, seed: int
) -> None:
    facts, of = facts_of(drawn), drawn_position(rate_minor)
    events = [*facts.gateway, *facts.gateway]
    Random(seed).shuffle(events)
    whole = entries(of, facts, FOREVER)
    assert entries(of, Facts([*facts.acts, *facts.acts], events), FOREVER) == whole
    earlier = entries(of, facts, at_ms)
    assert whole[: len(earlier)] == earlier, "what was entered stays as it was"


@rule("R62")
@settings(max_examples=200)
@given(happenings, rates, st.lists(instants, max_size=6))
def test_who_posts_what_is_new_at_any_moments_posts_the_same_ledger(
    drawn: list[tuple[str, int, list[Slot], int]], rate_minor: int, moments: list[int]
) -> None:
    """A server asks now and then, crashes in between, and asks again: nothing is entered twice."""
    facts, of = facts_of(drawn), drawn_position(rate_minor)
    posted: list[LedgerEntry] = []
    for at_ms in [*sorted(moments), FOREVER, FOREVER]:
        known = Facts(
            [act for act in facts.acts if (act.received_at_ms or 0) <= at_ms],
            [event for event in facts.gateway if event.at_ms <= at_ms],
        )
        posted += to_post(posted, entries(of, known, at_ms), Millis(at_ms))
    assert tuple(posted) == entries(of, facts, FOREVER)


@rule("R43")
@rule("R62")
@settings(max_examples=200)
@given(happenings, happenings, rates)
def test_what_turns_up_later_and_belongs_earlier_is_made_up_for(
    known: list[tuple[str, int, list[Slot], int]],
    healed: list[tuple[str, int, list[Slot], int]],
    rate_minor: int,
) -> None:
    of = drawn_position(rate_minor)
    posted = list(entries(of, facts_of(known), FOREVER))
    derived = entries(of, facts_of([*known, *healed]), FOREVER)
    posted += to_post(posted, derived, Millis(FOREVER))
    assert balances(posted) == balances(derived)
    assert to_post(posted, derived, Millis(FOREVER + 1)) == ()
    assert len({entry.key for entry in posted}) == len(posted)


@rule("R62")
@given(happenings, rates)
def test_the_steps_are_taken_at_their_instants_and_nowhere_else(
    drawn: list[tuple[str, int, list[Slot], int]], rate_minor: int
) -> None:
    found = entries(drawn_position(rate_minor), facts_of(drawn), FOREVER)
    steps = {entry.what: entry.at_ms for entry in found if entry.what in {"review_ended", "available"}}
    assert steps.items() <= {"review_ended": REVIEW_ENDS, "available": AVAILABLE}.items()
    for entry in found:
        touched = {posting.account for posting in entry.postings}
        if entry.at_ms < REVIEW_ENDS:
            assert not touched & {"security_period", "available", "withdrawn"}
        elif entry.at_ms >= AVAILABLE and entry.what != "available":
            assert not touched & {"in_review", "security_period"}


currencies = st.sampled_from(["JPY", "USD", "KWD", "EUR"])
contracts = st.sampled_from([ContractId(letter * 32) for letter in "0123"])


@st.composite
def charges(draw: st.DrawFn) -> list[Charge]:
    made: dict[tuple[ContractId, str], Charge] = {}
    for _ in range(draw(st.integers(0, 8))):
        contract, currency = draw(contracts), draw(currencies)
        segments, rate_minor = draw(st.integers(0, 1008)), draw(rates)
        line = InvoiceLine(
            contract=contract,
            what="hours",
            week=WEEK.name,
            segments=segments,
            rate_minor=rate_minor,
            amount_minor=amount_minor(segments, rate_minor),
        )
        made[contract, currency] = Charge(currency, line)
    return list(made.values())


payers = st.dictionaries(contracts, st.sampled_from(["a" * 32, "b" * 32]), max_size=4)


@rule("R61")
@settings(max_examples=300)
@given(charges(), payers, st.integers(1, 50))
def test_every_minor_unit_of_a_week_stands_on_one_invoice_and_numbers_have_no_gap(
    due: list[Charge], of_payers: dict[ContractId, str], first: int
) -> None:
    made = invoices(issue(first), due, of_payers)
    assert [one.number for one in made] == list(range(first, first + len(made)))
    assert [(one.payer, one.currency) for one in made] == sorted({(one.payer, one.currency) for one in made})
    for currency in ("JPY", "USD", "KWD", "EUR"):
        billed = sum(one.total_minor for one in made if one.currency == currency)
        exactly = [exact(one.line.segments, one.line.rate_minor) for one in due if one.currency == currency]
        assert billed == sum(exactly)
    for one in made:
        parts = [part_of(one, contract) for contract in {line.contract for line in one.lines}]
        assert sum(line.amount_minor for part in parts if part for line in part.lines) == one.total_minor
        assert one.fault() is None


@rule("R43")
@rule("R61")
@settings(max_examples=200)
@given(st.lists(charges(), min_size=1, max_size=5))
def test_corrections_bring_what_was_billed_to_what_is_due_however_often_it_changes(
    seals: list[list[Charge]],
) -> None:
    billed: list[Charge] = []
    for due in seals:
        billed += still_due(due, billed)
        assert still_due(due, billed) == []
    sums: dict[tuple[ContractId, str], int] = {}
    for charge in billed:
        place = charge.line.contract, charge.currency
        sums[place] = sums.get(place, 0) + charge.line.amount_minor
    last = {(one.line.contract, one.currency): one.line.amount_minor for one in seals[-1]}
    assert {place: amount for place, amount in sums.items() if amount} == {
        place: amount for place, amount in last.items() if amount
    }
