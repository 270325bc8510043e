"""A server that lies: the real one's answers, altered on their way and signed anew with its own key (R56)."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import msgspec
from msgspec.structs import replace

from diary.evidence.head import LogHead, sign_head
from diary.evidence.invoice_statement import own_invoice, own_part
from diary.evidence.merkle import CompactRange, leaf_hash
from diary.evidence.receipt import (
    Cursor,
    LogRow,
    Page,
    Receipt,
    Refusal,
    SignedAnswer,
    read_answer,
    sign_answer,
)
from diary.evidence.seal import Seal, own_seal, sign_seal
from diary.evidence.statement import SignedStatement
from diary.rules.ids import ContractId, Millis
from diary.rules.invoice_parts import Invoice, InvoicePart
from diary.rules.segment import Header, parse_header
from diary.store import log_trees
from sync.protocol import InvoicesAnswer, PullAnswer, PushAnswer
from sync.server.log import ServerKey
from tests.sync.stage import Device, Stage

AT = Millis(1_800_000_000_000)

Bill = Invoice | InvoicePart
PageLie = Callable[[Page], Page]
ReceiptLie = Callable[[Receipt], Receipt]


@dataclass
class Liar(httpx.BaseTransport):
    """Stands where a device's line ends: what the real server answers comes through it, altered.

    `pages` alters each page of a pull, `receipts` each receipt of a push, `heads` each head of a push,
    `bills` what is given out of invoices: signed anew as the whole or the part that they are.
    """

    inner: httpx.BaseTransport
    key: ServerKey
    pages: PageLie | None = None
    receipts: ReceiptLie | None = None
    heads: Callable[[LogHead], LogHead] | None = None
    bills: Callable[[list[Bill]], list[Bill]] | None = None
    told: list[str] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        content = answer.read()
        answer.close()
        if answer.status_code < 300:
            content = self._altered(request.url.path, content)
        lengths = {"content-length", "content-encoding", "transfer-encoding"}
        headers = {name: text for name, text in answer.headers.items() if name not in lengths}
        return httpx.Response(answer.status_code, headers=headers, content=content)

    def _altered(self, path: str, content: bytes) -> bytes:
        if path == "/v1/pull" and self.pages is not None:
            pulled = msgspec.json.decode(content, type=PullAnswer)
            return msgspec.json.encode(replace(pulled, pages=[self.pages(page) for page in pulled.pages]))
        if path == "/v1/push" and (self.receipts is not None or self.heads is not None):
            return msgspec.json.encode(self._altered_push(msgspec.json.decode(content, type=PushAnswer)))
        if path == "/v1/invoices" and self.bills is not None:
            answer = msgspec.json.decode(content, type=InvoicesAnswer)
            shown = [
                self._signed_bill(bill) for bill in self.bills([bill_of(one) for one in answer.invoices])
            ]
            return msgspec.json.encode(replace(answer, invoices=shown))
        return content

    def _signed_bill(self, bill: Bill) -> SignedStatement:
        return self.key.invoice_part(bill) if isinstance(bill, InvoicePart) else self.key.invoice(bill)

    def _altered_push(self, pushed: PushAnswer) -> PushAnswer:
        answers = read_answer(pushed.answers, self.key.public)
        if self.receipts is not None:
            lied: list[Receipt | Refusal] = [
                self.receipts(one) if isinstance(one, Receipt) else one for one in answers
            ]
            pushed = replace(pushed, answers=sign_answer(lied, self.key._private))
        if self.heads is not None:
            told = [msgspec.json.decode(head.text, type=LogHead) for head in pushed.heads]
            pushed = replace(pushed, heads=[self.key.head(self.heads(head)) for head in told])
        return pushed

    def answered(self, answers: Sequence[Receipt | Refusal]) -> SignedAnswer:
        """Return the answers as the server's own."""
        return sign_answer(answers, self.key._private)

    def close(self) -> None:
        self.inner.close()

    def head(self, contract: ContractId, log_epoch: int, leaves: CompactRange) -> SignedStatement:
        head = LogHead(
            contract=contract,
            log_epoch=log_epoch,
            size=leaves.size,
            root=leaves.root.hex(),
            at_ms=AT,
        )
        return sign_head(head, self.key._private)

    def signed(self, page: Page, known: CompactRange) -> Page:
        """Return the page with a head over `known` and its own rows, and nothing behind them."""
        grown = known.extended(leaf_of(row) for row in page.rows)
        head = Cursor(page.head.log_epoch, grown.size, page.head.seals)
        return replace(page, head=head, signed_head=self.head(page.contract, head.log_epoch, grown))

    def sealed(self, page: Page, lie: Callable[[Seal], Seal]) -> Page:
        """Return the page with each of its seals altered."""
        return replace(page, seals=[sign_seal(lie(own_seal(seal)), self.key._private) for seal in page.seals])


def liar_before(stage: Stage, device: Device) -> Liar:
    """Put a liar between the device and the stage's server."""
    liar = Liar(device.failing._inner, ServerKey.at(stage.folder / "server" / "server.key"))
    device.failing._inner = liar  # type: ignore[assignment]  # any transport will do
    return liar


def read_so_far(device: Device, contract: ContractId) -> CompactRange:
    """Return what the device has read of a log."""
    tree = log_trees.tree(device.diary._state.connection, contract)
    return tree.range_at(tree.size)


def bill_of(signed: SignedStatement) -> Bill:
    """Return a whole invoice, or a contract's part of one, as it was signed."""
    is_part = "total_minor" not in msgspec.json.decode(signed.text)
    return own_part(signed.text) if is_part else own_invoice(signed.text)


def header_of(row: LogRow) -> Header:
    return parse_header(row.header.encode())


def leaf_of(row: LogRow) -> bytes:
    header = header_of(row)
    hashes = (hashlib.sha256(row.header.encode()).digest(), bytes.fromhex(row.body_hash))
    place = (header.type, header.contract, row.log_epoch, row.received_at_ms)
    return leaf_hash(*place, *hashes, bytes.fromhex(row.push))


def kinds(device: Device) -> list[str]:
    """Return the kinds of the device's alarms, the oldest first."""
    return [alarm.kind for alarm in device.diary.alarms()]
