"""Invoices under the server's signature: read, or refused (R51, R61)."""

from typing import Literal

import msgspec
import pytest

from diary.errors import PeerError
from diary.evidence.invoice_statement import (
    own_invoice,
    own_part,
    read_invoice,
    read_part,
    sign_invoice,
    sign_part,
)
from diary.evidence.statement import BrokenStatementError, ForgedStatementError, SignedStatement
from tests.rule import rule
from tests.vector_file import vectors

FAULTS: dict[str, type[PeerError]] = {"bad_signature": ForgedStatementError, "broken": BrokenStatementError}


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signed text, and what becomes of it."""

    name: str
    form: Literal["whole", "part"]
    public: str
    text: str
    signature: str
    expect: str
    seed: str = ""

    @property
    def signed(self) -> SignedStatement:
        return SignedStatement(text=self.text, signature=bytes.fromhex(self.signature))


class InvoiceFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The vectors of invoices."""

    about: str
    cases: list[Case]


CASES = vectors("invoice", InvoiceFile).cases


@rule("R51")
@rule("R61")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_invoice_is_read_as_it_was_signed_or_not_at_all(case: Case) -> None:
    read = read_invoice if case.form == "whole" else read_part
    if case.expect != "verifies":
        with pytest.raises(FAULTS[case.expect]):
            read(case.signed, bytes.fromhex(case.public))
        return
    found = read(case.signed, bytes.fromhex(case.public))
    assert found == (own_invoice(case.text) if case.form == "whole" else own_part(case.text))
    assert msgspec.json.encode(found, order="deterministic").decode() == case.text


@rule("R61")
@pytest.mark.parametrize("case", [case for case in CASES if case.seed], ids=lambda case: case.name)
def test_the_same_invoice_is_signed_alike_again(case: Case) -> None:
    seed = bytes.fromhex(case.seed)
    again = (
        sign_invoice(own_invoice(case.text), seed)
        if case.form == "whole"
        else sign_part(own_part(case.text), seed)
    )
    assert again == case.signed
