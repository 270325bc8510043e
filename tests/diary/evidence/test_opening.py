"""Where a restored server's logs go on: signed by it, read only so; and the pages that prove rows (R43)."""

import msgspec
import pytest

from diary.errors import PeerError
from diary.evidence.opening import (
    BrokenOpeningError,
    ForgedOpeningError,
    Opening,
    SignedOpening,
    read_opening,
    sign_opening,
)
from diary.evidence.page_proof import proves_page, sign_page
from diary.rules.ids import ContractId
from tests.rule import rule
from tests.vector_file import vectors

FAULTS: dict[str, type[PeerError]] = {
    "bad_signature": ForgedOpeningError,
    "broken_opening": BrokenOpeningError,
}


class OpeningCase(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    public: str
    text: str
    signature: str
    expect: str
    seed: str = ""
    opening: Opening | None = None


class PageCase(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    public: str
    contract: ContractId
    first: int
    leaves: str
    signature: str
    expect: str
    seed: str = ""


class OpeningFile(msgspec.Struct, frozen=True):
    cases: list[OpeningCase]
    pages: list[PageCase]


FILE = vectors("opening", OpeningFile)


@rule("R43")
@pytest.mark.parametrize("case", FILE.cases, ids=lambda case: case.name)
def test_a_statement_is_read_only_as_the_server_signed_it(case: OpeningCase) -> None:
    signed = SignedOpening(text=case.text, signature=bytes.fromhex(case.signature))
    if case.expect != "verifies":
        with pytest.raises(FAULTS[case.expect]):
            read_opening(signed, bytes.fromhex(case.public))
        return
    assert read_opening(signed, bytes.fromhex(case.public)) == case.opening
    assert case.opening is not None
    assert sign_opening(case.opening, bytes.fromhex(case.seed)) == signed


@rule("R43")
@pytest.mark.parametrize("case", FILE.pages, ids=lambda case: case.name)
def test_a_page_proves_its_leaves_at_their_place_and_no_others(case: PageCase) -> None:
    leaves, signed = bytes.fromhex(case.leaves), bytes.fromhex(case.signature)
    key = bytes.fromhex(case.public)
    holds = proves_page(case.contract, case.first, leaves, signed, server_key=key)
    assert holds == (case.expect == "verifies")
    if holds:
        assert sign_page(case.contract, case.first, leaves, bytes.fromhex(case.seed)) == signed


@rule("R43")
def test_a_log_that_is_not_named_was_not_known() -> None:
    opening = FILE.cases[0].opening
    assert opening is not None
    assert [opening.kept(contract) for contract in (*opening.heads, ContractId("1" * 32))] == [2, 120, 0]
