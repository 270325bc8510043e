"""What a device keeps of its pushes, and how it shows that to a server that lost it (R43)."""

import hashlib
from collections.abc import Sequence

import msgspec

from diary.evidence.merkle import push_hash
from diary.evidence.opening import Opening, SignedOpening, read_opening
from diary.evidence.receipt import Cursor, LogRow, Receipt, SignedAnswer, SignedPush, read_answer
from diary.evidence.signature import HEAL
from diary.rules.ids import ContractId
from sync.protocol import (
    Enrol,
    Fault,
    Heal,
    HealAnswer,
    Join,
    Nonce,
    Pull,
    PullAnswer,
    Push,
    PushAnswer,
    WireVersion,
    heal_payload,
)
from tests.sync.server.author import Author
from tests.sync.server.process import Client


class Sent:
    """What a device keeps of a push: the versions, its signature, and the answer as the server signed it."""

    def __init__(
        self,
        client: Client,
        author: Author,
        *versions: WireVersion,
        enrolling: bool = False,
        joining: bool = False,
    ) -> None:
        self.push: Push = author.push(*versions)
        message: Push | Enrol | Join = self.push
        path = "/v1/push"
        token_hash = hashlib.sha256(author.keys.token.encode()).hexdigest()
        if enrolling:
            path, message = "/v1/enrol", Enrol(push=self.push, token_hash=token_hash)
        if joining:
            path, message = "/v1/join", Join(push=self.push, token_hash=token_hash)
        answer = client.post(path, message, author)
        assert answer.status_code == 200, answer.text
        self.answer: SignedAnswer = msgspec.json.decode(answer.content, type=PushAnswer).answers
        self.receipts = [item for item in read_answer(self.answer, client.key()) if isinstance(item, Receipt)]
        assert len(self.receipts) == len(versions)

    @property
    def signed(self) -> SignedPush:
        hashes = b"".join(
            hashlib.sha256(item.header.encode()).digest() + hashlib.sha256(item.body or b"").digest()
            for item in self.push.versions
        )
        return SignedPush(replica=self.push.replica, hashes=hashes, signature=self.push.signature)

    def rows(self, *, content: bool = True) -> list[LogRow]:
        return [
            LogRow(
                log_epoch=receipt.log_epoch,
                index=receipt.index,
                received_at_ms=receipt.received_at_ms,
                push=push_hash(self.signed).hex(),
                header=item.header,
                body_hash=hashlib.sha256(item.body or b"").hexdigest(),
                body=item.body if content else None,
                wrap=item.wrap if content else None,
            )
            for item, receipt in zip(self.push.versions, self.receipts, strict=True)
        ]


def message(client: Client, author: Author, *sent: Sent, **changed: object) -> Heal:
    nonce = msgspec.json.decode(client.http.get("/v1/nonce").content, type=Nonce).nonce
    token_hash = hashlib.sha256(author.keys.token.encode()).hexdigest()
    proof = author.keys.sign(HEAL, heal_payload(author.account, author.replica, nonce, token_hash))
    shown = Heal(
        account=author.account,
        replica=author.replica,
        nonce=nonce,
        token_hash=token_hash,
        signature=proof,
        rows=[row for item in sent for row in item.rows()],
        pushes={push_hash(item.signed).hex(): item.signed for item in sent},
        answers=[item.answer for item in sent],
        pages=[],
    )
    return msgspec.structs.replace(shown, **changed)


def heal(client: Client, shown: Heal) -> HealAnswer:
    answer = client.post("/v1/heal", shown)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=HealAnswer)


def fault_of(client: Client, shown: Heal) -> tuple[int, str]:
    answer = client.post("/v1/heal", shown)
    return answer.status_code, msgspec.json.decode(answer.content, type=Fault).reason


def opening_of(client: Client, openings: Sequence[SignedOpening]) -> Opening:
    return read_opening(openings[-1], client.key())


def rows_of(client: Client, author: Author, epoch: int) -> list[LogRow]:
    """Return the contract's whole feed, as one who knows of the epoch reads it."""
    cursors = {ContractId(author.account): Cursor(epoch, 0), author.contract: Cursor(epoch, 0)}
    pull = Pull(account=author.account, cursors=cursors, log_epoch=epoch)
    pages = msgspec.json.decode(client.post("/v1/pull", pull, author).content, type=PullAnswer).pages
    return [row for page in pages if page.contract == author.contract for row in page.rows]
