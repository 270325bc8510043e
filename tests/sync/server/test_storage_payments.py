"""What every backend keeps of payments by a gateway, of its events and of billing methods (R11, R63)."""

from dataclasses import replace

import pytest

from diary.rules.ids import ContractId, Millis
from sync.server.kept_payments import KeptEvent, KeptMethod, KeptPayment
from sync.server.payment import Money, MoneyEvent, PaymentNames
from sync.server.storage import Storage
from tests.rule import rule
from tests.sync.server.versions import ACCOUNT, CONTRACT, OTHER_ACCOUNT, OTHER_CONTRACT, ROOT

AT = Millis(1_800_000_000_000)


def names(key: str = "1", contract: ContractId = CONTRACT, invoice: int = 7) -> PaymentNames:
    return PaymentNames(ACCOUNT, contract, invoice, key * 32)


def begun(key: str = "1", contract: ContractId = CONTRACT, invoice: int = 7) -> KeptPayment:
    return KeptPayment(names(key, contract, invoice), "stripe", Money(6050, "EUR"), "started", AT, AT)


def told(key: str = "paid/1", minor: int = 6050, contract: ContractId = CONTRACT) -> MoneyEvent:
    return MoneyEvent(key, "paid", names(contract=contract), Money(minor, "EUR"), AT)


@rule("R63")
def test_a_payment_is_kept_and_found_while_it_is_open(storage: Storage) -> None:
    answered = replace(begun(), reference="cs_1", url="https://pay.example/cs_1", looked_at_ms=Millis(AT + 1))
    with storage.hold(ACCOUNT) as hold:
        hold.payments.keep(begun())
        hold.payments.keep(begun("2", OTHER_CONTRACT))
    with storage.hold(ACCOUNT) as hold:
        assert hold.payments.under_way(CONTRACT, 7) == begun()
        assert hold.payments.under_way(CONTRACT, 8) is None
        hold.payments.keep(answered)
    with storage.hold(ACCOUNT) as hold:
        assert hold.payments.payment("1" * 32) == answered
        hold.payments.keep(replace(answered, state="ended"))
        hold.payments.keep(begun("3"))
    with storage.hold(ACCOUNT) as hold:
        assert hold.payments.under_way(CONTRACT, 7) == begun("3")
        assert hold.payments.payment("1" * 32) == replace(answered, state="ended")
        assert hold.payments.payment("9" * 32) is None


@rule("R63")
def test_an_event_counts_once_and_stays_as_it_came(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        assert hold.payments.keep_event(told(), AT)
        assert not hold.payments.keep_event(told(minor=1), AT)
    with storage.hold(ACCOUNT) as hold:
        assert not hold.payments.keep_event(told(), AT)
        assert hold.payments.keep_event(told("refunded/2", 50, OTHER_CONTRACT), AT)
        kept = [KeptEvent(told(), AT), KeptEvent(told("refunded/2", 50, OTHER_CONTRACT), AT)]
        assert hold.payments.events() == kept
        assert hold.payments.events(CONTRACT) == kept[:1]
    assert storage.payments.events(ACCOUNT) == kept
    assert storage.payments.events(ACCOUNT, OTHER_CONTRACT) == kept[1:]


@rule("R63")
def test_what_one_account_keeps_no_other_finds(storage: Storage) -> None:
    with storage.hold(ACCOUNT) as hold:
        hold.payments.keep(begun())
        hold.payments.keep_event(told(), AT)
        hold.payments.keep_method(KeptMethod("e" * 32, "by_hand", stated_at_ms=AT))
    with storage.hold(OTHER_ACCOUNT) as hold:
        hold.open_account(ROOT)
        assert hold.payments.payment("1" * 32) is None
        assert hold.payments.under_way(CONTRACT, 7) is None
        assert hold.payments.events() == []
        assert hold.payments.method("e" * 32) is None
    assert storage.payments.methods(OTHER_ACCOUNT) == []
    assert storage.payments.events(OTHER_ACCOUNT) == []


@rule("R11")
def test_the_last_answer_about_a_billing_method_is_kept_with_its_time(storage: Storage) -> None:
    asked = KeptMethod("e" * 32, "stripe", "cus_1", verified=False, asked_at_ms=AT)
    stated = KeptMethod("d" * 32, "stripe", stated_at_ms=AT)
    with storage.hold(ACCOUNT) as hold:
        assert hold.payments.method("e" * 32) is None
        hold.payments.keep_method(asked)
        hold.payments.keep_method(stated)
    with storage.hold(ACCOUNT) as hold:
        hold.payments.keep_method(replace(asked, verified=True, asked_at_ms=Millis(AT + 5)))
    later = replace(asked, verified=True, asked_at_ms=Millis(AT + 5))
    assert storage.payments.methods(ACCOUNT) == [stated, later]
    assert storage.payments.outdated(Millis(AT + 5), 9) == []
    assert storage.payments.outdated(Millis(AT + 6), 9) == [(ACCOUNT, later)]


@rule("R63")
def test_open_payments_are_found_that_nobody_looked_after_for_a_while(storage: Storage) -> None:
    looked = replace(begun("2", OTHER_CONTRACT), looked_at_ms=Millis(AT + 9))
    with storage.hold(ACCOUNT) as hold:
        hold.payments.keep(begun())
        hold.payments.keep(looked)
        hold.payments.keep(replace(begun("3", invoice=8), state="paid"))
    assert storage.payments.unfinished(Millis(AT + 9), 9) == [begun()]
    assert storage.payments.unfinished(Millis(AT + 10), 9) == [begun(), looked]
    assert storage.payments.unfinished(Millis(AT + 10), 1) == [begun()]


@rule("R63")
def test_what_a_failed_transaction_kept_is_not_there(storage: Storage) -> None:
    def break_off() -> None:
        with storage.hold(ACCOUNT) as hold:
            hold.payments.keep(begun())
            hold.payments.keep_event(told(), AT)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        break_off()
    with storage.hold(ACCOUNT) as hold:
        assert hold.payments.payment("1" * 32) is None
        assert hold.payments.events() == []
