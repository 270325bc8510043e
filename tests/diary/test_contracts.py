"""Contracts as they are made, changed and named."""

from pathlib import Path

import pytest

from diary import contracts, envelope
from diary.diary import Diary
from diary.rules.ids import ContractId
from diary.rules.week import Week
from diary.store import versions
from tests.practice import practice_diary
from tests.rule import rule


@rule("R7")
def test_a_contract_keeps_what_its_terms_say(tmp_path: Path) -> None:
    diary, clock, _ = practice_diary(tmp_path)
    with diary:
        made = diary.new_contract(
            title="Ledger",
            client="Ada",
            rate_minor=6000,
            currency="EUR",
            limit_minutes=600,
            labels=["code", "talk"],
        )
    with Diary.open(diary.home, clock=clock) as again:
        found = again.contract("ledger")
        assert found == made
        assert (found.client, found.labels, found.terms.currency) == ("Ada", ("code", "talk"), "EUR")
        assert found.is_active


@rule("R8")
def test_new_terms_say_only_what_changes_and_the_old_ones_stay_in_the_history(tmp_path: Path) -> None:
    diary, clock, contract = practice_diary(tmp_path, limit_minutes=600, rate_minor=100)
    with diary:
        clock.put(clock.now_ms() + 1000)
        changed = diary.change_terms(contract.id, limit_minutes=1200, title="Practice, more of it")
        assert (changed.title, changed.terms.limit_minutes, changed.terms.rate_minor) == (
            "Practice, more of it",
            1200,
            100,
        )
        assert changed.history.limit_minutes(Week.at(clock.now_ms())) == 1200
        assert [version.terms.limit_minutes for version in changed.history.versions] == [600, 1200]


@rule("R61")
def test_contracts_of_one_client_have_one_payer_that_is_not_their_name(tmp_path: Path) -> None:
    diary, _, practice = practice_diary(tmp_path)
    with diary:
        made = [
            diary.new_contract(title=client or "-", client=client) for client in ("Ada", "ada ", "Bo", "", "")
        ]
        payers = [one.terms.payer for one in (practice, *made)]
        assert all(payer is not None and len(payer) == 32 for payer in payers)
        assert payers[1] == payers[2]
        assert len({*payers}) == len(payers) - 1, "who has no name is nobody else"
        renamed = diary.change_terms(made[2].id, client="Ada", rate_minor=5)
        assert renamed.terms.payer == payers[3], "it is that of the first terms"


@rule("R49")
def test_a_contracts_key_is_granted_to_this_device_and_to_recovery(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        grants = versions.slotless(diary._state.connection, "grant", contract.id)
        receivers = [stored.header.grant.to for stored in grants if stored.header.grant is not None]
        assert receivers == [diary.replica, "recovery"]


@rule("R49")
def test_without_a_grant_nothing_is_sealed_or_opened(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        diary._state.connection.execute("DELETE FROM version WHERE type = 'grant'")
        diary._state.epoch_keys.clear()
        diary._state.contents.clear()
        assert diary.contracts() == ()
        with pytest.raises(envelope.NoKeyError):
            envelope.newest_epoch(diary._state, contract.id)


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "  "},
        {"currency": "euro"},
        {"rate_minor": -1},
        {"limit_minutes": -10},
        {"labels": ["one", "one"]},
        {"labels": [""]},
        {"label_required": True},
        {"title": "x" * 501},
    ],
    ids=str,
)
@rule("R7")
def test_terms_that_make_no_sense_are_the_callers_to_mend(
    tmp_path: Path, fields: contracts.TermsFields
) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        with pytest.raises(contracts.BadTermsError) as fault:
            diary.change_terms(contract.id, **fields)
        assert fault.value.exit_code == 2
        assert diary.contract("Practice") == contract


def test_a_contract_is_found_by_title_by_its_start_and_by_the_start_of_its_id(tmp_path: Path) -> None:
    diary, _, contract = practice_diary(tmp_path)
    with diary:
        for name in ("Practice", "practice", "prac", contract.id, contract.id[:6]):
            assert diary.contract(name) == contract
        for name in ("", "zebra", "rac", contract.id[:3]):
            with pytest.raises(contracts.UnknownContractError):
                diary.contract(name)


def test_a_name_that_fits_several_contracts_is_asked_again(tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    with diary:
        diary.new_contract(title="Practice room")
        assert diary.contract("Practice").title == "Practice"
        with pytest.raises(contracts.AmbiguousContractError, match="any of 2"):
            diary.contract("prac")


@rule("R9")
def test_a_name_means_the_contract_that_is_not_closed(tmp_path: Path) -> None:
    diary, _, first = practice_diary(tmp_path)
    with diary:
        second = diary.new_contract(title="Practice")
        with pytest.raises(contracts.AmbiguousContractError, match="any of 2"):
            diary.contract("Practice")
        diary.change_terms(second.id, state="closed")
        assert diary.contract("Practice").id == first.id
        assert diary.contract(second.id[:8]).id == second.id
        diary.change_terms(first.id, state="closed")
        with pytest.raises(contracts.AmbiguousContractError, match="any of 2"):
            diary.contract("prac")


def test_terms_of_a_contract_that_is_not_there_change_nothing(tmp_path: Path) -> None:
    diary, _, _ = practice_diary(tmp_path)
    with diary, pytest.raises(contracts.UnknownContractError):
        diary.change_terms(ContractId("f" * 32), title="nobody's")
