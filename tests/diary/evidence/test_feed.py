"""What a reader believes of a feed: pages as devices and a server make them, then bent (R45, R48, R50)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import pytest

from diary.evidence import signature
from diary.evidence.alarm import FeedFaultError
from diary.evidence.device_list import account_of
from diary.evidence.feed import Reader
from diary.evidence.merkle import push_hash
from diary.evidence.receipt import Cursor, LogRow, Page, SignedPush
from diary.rules.devices import DeviceListInClear, ListedDevice
from diary.rules.ids import AccountId, ContractId, ReplicaId, Slot
from diary.rules.segment import Header
from tests.rule import rule

ROOT = b"r" * 32
LAPTOP, DESKTOP = b"l" * 32, b"d" * 32
ACCOUNT = account_of(signature.public_of(ROOT))
CONTRACT = ContractId("c" * 32)
NAMES = {LAPTOP: ReplicaId("1" * 32), DESKTOP: ReplicaId("2" * 32)}


@dataclass
class Log:
    """One feed as an honest server would keep it."""

    contract: ContractId
    rows: list[LogRow] = field(default_factory=list)
    pushes: dict[str, SignedPush] = field(default_factory=dict)

    def append(self, by: bytes, *versions: tuple[Header, bytes], seed: bytes | None = None) -> None:
        hashes = b"".join(
            hashlib.sha256(header.to_bytes()).digest() + hashlib.sha256(body).digest()
            for header, body in versions
        )
        signed = SignedPush(
            replica=NAMES[by], hashes=hashes, signature=signature.sign(seed or by, signature.PUSH, hashes)
        )
        name = push_hash(signed).hex()
        self.pushes[name] = signed
        for header, body in versions:
            row = LogRow(
                log_epoch=1,
                index=len(self.rows),
                received_at_ms=1_000 + len(self.rows),
                push=name,
                header=header.to_bytes().decode(),
                body_hash=hashlib.sha256(body).hexdigest(),
                body=body,
                wrap=b"wrap",
            )
            self.rows.append(row)

    def page(self, start: int = 0, end: int | None = None) -> Page:
        head = Cursor(log_epoch=1, size=len(self.rows))
        return Page(contract=self.contract, rows=self.rows[start:end], pushes=self.pushes, head=head)


def device(seed: bytes, *, revoked_from: int | None = None) -> ListedDevice:
    public = signature.public_of(seed).hex()
    return ListedDevice(replica=NAMES[seed], sign=public, box="0" * 64, revoked_from=revoked_from)


def list_version(number: int, by: bytes, n: int, *devices: ListedDevice) -> tuple[Header, bytes]:
    listed = DeviceListInClear(
        number=number,
        root=signature.public_of(ROOT).hex(),
        recovery="0" * 64,
        signer="root",
        devices=devices,
    )
    header = Header(
        v=1,
        type="device_list",
        account=ACCOUNT,
        contract=ContractId(ACCOUNT),
        replica=NAMES[by],
        n=n,
        head=None,
        devices=listed,
    )
    return header, signature.sign(ROOT, signature.DEVICE_LIST, header.to_bytes())


def capture(by: bytes, n: int, contract: ContractId = CONTRACT) -> tuple[Header, bytes]:
    header = Header(
        v=1,
        type="capture",
        account=ACCOUNT,
        contract=contract,
        replica=NAMES[by],
        n=n,
        head=None,
        slot=Slot(2_990_000 + n),
        pictures=(),
        epoch=1,
        commit="0" * 64,
    )
    return header, f"sealed {n}".encode()


def account_log() -> Log:
    log = Log(ContractId(ACCOUNT))
    log.append(LAPTOP, list_version(1, LAPTOP, 1, device(LAPTOP)))
    return log


def contract_log() -> Log:
    log = Log(CONTRACT)
    log.append(LAPTOP, *(capture(LAPTOP, n) for n in range(2, 6)))
    return log


def reader() -> Reader:
    """Return a reader that has seen the account's log."""
    new = Reader(ACCOUNT, None, {})
    new.check(account_log().page(), None)
    return new


@rule("R48")
def test_an_honest_page_is_believed_row_by_row() -> None:
    checked = reader().check(contract_log().page(), None)
    assert [row.header.n for row in checked] == [2, 3, 4, 5]


@rule("R45")
def test_rows_that_were_read_before_are_left_out() -> None:
    checked = reader().check(contract_log().page(), Cursor(log_epoch=1, size=3))
    assert [row.header.n for row in checked] == [5]


@rule("R50")
def test_a_device_counts_from_the_list_that_names_it() -> None:
    log = account_log()
    joined = list_version(2, DESKTOP, 1, device(LAPTOP), device(DESKTOP))
    log.append(DESKTOP, joined)
    both = Reader(ACCOUNT, None, {})
    both.check(log.page(), None)
    feed = contract_log()
    feed.append(DESKTOP, capture(DESKTOP, 2))
    assert both.check(feed.page(), None)[-1].header.replica == NAMES[DESKTOP]


@rule("R50")
def test_versions_from_a_devices_revocation_on_do_not_count() -> None:
    log = account_log()
    log.append(LAPTOP, list_version(2, LAPTOP, 2, device(LAPTOP, revoked_from=5)))
    warned = Reader(ACCOUNT, None, {})
    warned.check(log.page(), None)
    assert len(warned.check(contract_log().page(0, 3), None)) == 3
    with pytest.raises(FeedFaultError) as raised:
        warned.check(contract_log().page(3), Cursor(log_epoch=1, size=3))
    assert raised.value.kind == "unlisted_device"


def without_a_row(page: Page) -> Page:
    return msgspec.structs.replace(page, rows=[*page.rows[:1], *page.rows[2:]])


def without_the_first(page: Page) -> Page:
    return msgspec.structs.replace(page, rows=page.rows[1:])


def reordered(page: Page) -> Page:
    return msgspec.structs.replace(page, rows=page.rows[::-1])


def with_row(page: Page, **changed: object) -> Page:
    row = msgspec.structs.replace(page.rows[1], **changed)
    return msgspec.structs.replace(page, rows=[page.rows[0], row, *page.rows[2:]])


def altered_body(page: Page) -> Page:
    return with_row(page, body=b"sealed by somebody else")


def altered_body_and_hash(page: Page) -> Page:
    body = b"sealed by somebody else"
    return with_row(page, body=body, body_hash=hashlib.sha256(body).hexdigest())


def altered_header(page: Page) -> Page:
    header, _ = capture(LAPTOP, 99)
    return with_row(page, header=header.to_bytes().decode())


def header_of_another_contract(page: Page) -> Page:
    header, _ = capture(LAPTOP, 3, ContractId("e" * 32))
    return with_row(page, header=header.to_bytes().decode())


def forged_tombstone(page: Page) -> Page:
    made, _ = capture(LAPTOP, 3)
    gone = msgspec.structs.replace(
        made, type="entry", slot=Slot(2_990_002), vector={NAMES[LAPTOP]: 3}, life=1, manual=False,
        pictures=None, epoch=None, commit=None,
    )  # fmt: skip
    return with_row(
        page, header=gone.to_bytes().decode(), body=None, body_hash=hashlib.sha256(b"").hexdigest()
    )


def header_of_another_account(page: Page) -> Page:
    header, _ = capture(LAPTOP, 3)
    moved = msgspec.structs.replace(header, account=AccountId("e" * 32))
    return with_row(page, header=moved.to_bytes().decode())


def no_header(page: Page) -> Page:
    return with_row(page, header="{}")


def without_pushes(page: Page) -> Page:
    return msgspec.structs.replace(page, pushes={})


def with_a_forged_push(page: Page) -> Page:
    return msgspec.structs.replace(
        page,
        pushes={
            name: msgspec.structs.replace(push, signature=bytes(64)) for name, push in page.pushes.items()
        },
    )


def with_a_smaller_head(page: Page) -> Page:
    return msgspec.structs.replace(page, head=Cursor(log_epoch=1, size=2))


def of_another_log(page: Page) -> Page:
    return with_row(page, log_epoch=2)


def with_a_signature_of_nobody(page: Page) -> Page:
    log = Log(CONTRACT)
    log.append(LAPTOP, capture(LAPTOP, 2), seed=b"x" * 32)
    return log.page()


def by_a_stranger(page: Page) -> Page:
    log = Log(CONTRACT)
    log.append(DESKTOP, capture(DESKTOP, 2))
    return log.page()


def in_anothers_push(page: Page) -> Page:
    log = Log(CONTRACT)
    log.append(LAPTOP, capture(DESKTOP, 2))
    return log.page()


@rule("R45")
@rule("R48")
@pytest.mark.parametrize(
    ("bend", "kind"),
    [
        (without_a_row, "hole"),
        (without_the_first, "hole"),
        (reordered, "hole"),
        (with_a_smaller_head, "hole"),
        (altered_body, "bad_signature"),
        (altered_body_and_hash, "bad_signature"),
        (altered_header, "bad_signature"),
        (forged_tombstone, "bad_signature"),
        (header_of_another_contract, "wrong_place"),
        (header_of_another_account, "wrong_place"),
        (no_header, "wrong_place"),
        (without_pushes, "bad_signature"),
        (with_a_forged_push, "bad_signature"),
        (with_a_signature_of_nobody, "bad_signature"),
        (of_another_log, "hole"),
        (by_a_stranger, "unlisted_device"),
        (in_anothers_push, "bad_signature"),
    ],
)
def test_a_bent_page_gives_its_alarm(bend: Callable[[Page], Page], kind: str) -> None:
    with pytest.raises(FeedFaultError) as raised:
        reader().check(bend(contract_log().page()), None)
    assert raised.value.kind == kind


@rule("R45")
@pytest.mark.parametrize(
    ("head", "kind"),
    [(Cursor(log_epoch=1, size=2), "log_shrank"), (Cursor(log_epoch=2, size=9), "log_epoch")],
)
def test_a_log_that_shrank_or_began_anew_gives_alarm_without_a_row(head: Cursor, kind: str) -> None:
    page = Page(contract=CONTRACT, rows=[], pushes={}, head=head)
    with pytest.raises(FeedFaultError) as raised:
        reader().check(page, Cursor(log_epoch=1, size=4))
    assert raised.value.kind == kind


@rule("R50")
def test_a_device_list_that_goes_back_gives_alarm() -> None:
    log = account_log()
    log.append(LAPTOP, list_version(1, LAPTOP, 2, device(LAPTOP), device(DESKTOP)))
    with pytest.raises(FeedFaultError) as raised:
        Reader(ACCOUNT, None, {}).check(log.page(), None)
    assert raised.value.kind == "device_list"


@rule("R48")
def test_a_push_is_verified_once_however_many_rows_it_signed() -> None:
    known = reader()
    known.check(contract_log().page(0, 2), None)
    name = contract_log().rows[0].push
    checked = known.pushes[name]
    known.check(contract_log().page(2), Cursor(log_epoch=1, size=2))
    assert known.pushes[name] is checked
