"""One sync over lines that fail, and what it lets nobody see or change (R40, R41, R42, R48)."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from diary.carrying import WrongPictureError
from diary.clock import GivenClock
from diary.errors import PeerError
from diary.evidence.receipt import ForgedAnswerError
from diary.rules.ids import Millis, Slot
from diary.rules.week import Week
from diary.sealing.keyring import choose_place
from diary.store import receipts
from sync.engine import Engine, NotRegisteredError
from sync.enrolment import OtherServerError, UnknownAccountError, login, register
from sync.fetching import Fetches
from sync.pace import PART_BYTES_FIRST, PART_BYTES_MIN, Pace
from sync.protocol import PICTURE_BYTES_MAX
from sync.report import Progress, SyncReport
from sync.transport import UnreachableError
from sync.uploading import Uploads
from tests.practice import SCREEN, record_slot, slot
from tests.rule import rule
from tests.sync.stage import Device, Stage, serving, two_devices

TEN = slot("2026-11-18T10:00Z")
WEEK = Week.of(TEN)
REQUESTS_OF_A_FULL_SYNC = 9  # a pull, a push, and for two pictures a question and an upload, with some over


def sync_until_through(device: Device) -> list[SyncReport]:
    """Sync again and again, as the schedule does, until a run goes through."""
    reports = []
    for _ in range(50):
        try:
            reports.append(device.sync())
        except PeerError:
            continue
        return reports
    raise AssertionError("no run went through")


def log_sizes(device: Device) -> dict[str, int]:
    return {contract: cursor.size for contract, cursor in device.diary.cursors().items()}


@rule("R40")
@pytest.mark.parametrize("fate", ["lose", "refuse", "double"])
@pytest.mark.parametrize("at", range(REQUESTS_OF_A_FULL_SYNC))
def test_a_reply_lost_or_doubled_at_any_request_changes_nothing(stage: Stage, fate: str, at: int) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, memo="once")
    a.diary.edit([place], memo="twice")
    before = log_sizes(a)
    a.failing.fates = ["pass"] * at + [fate]
    sync_until_through(a)
    a.failing.fates = []
    a.sync()
    b.failing.fates = ["pass"] * at + [fate]
    sync_until_through(b)
    assert a.diary.queue().versions == 0
    assert a.diary.refusals() == ()
    # A capture and one entry: the first memo never left, since the second replaced it here.
    assert sum(log_sizes(a).values()) - sum(before.values()) == 2
    assert [one.memo for one in b.diary.week(WEEK).segments] == ["twice"]
    assert a.diary.week(WEEK) == b.diary.week(WEEK)


@rule("R40")
def test_a_line_that_fails_most_of_the_time_still_brings_everything_across(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    slots = [Slot(TEN + at) for at in range(6)]
    for device in (a, b):
        for at in slots:
            record_slot(device.diary, contract, at, memo=f"{device.diary.device_name} {at}")
    for device in (a, b, a):
        device.failing.fates = ["lose", "pass", "refuse", "double"] * 12
        sync_until_through(device)
        device.failing.fates = []
    a.sync()
    b.sync()
    assert a.diary.week(WEEK).segments == b.diary.week(WEEK).segments
    assert len(a.diary.week(WEEK).segments) == len(slots)
    assert all(len(one.snapshots) == 2 for one in a.diary.week(WEEK).segments)


@rule("R56")
def test_every_accepted_version_has_the_servers_signed_receipt(stage: Stage) -> None:
    a = stage.first()
    contract = a.diary.new_contract(title="Practice")
    place = record_slot(a.diary, contract, TEN)
    a.failing.fates = ["pass", "lose"]
    sync_until_through(a)
    names = a.segment(place).versions
    kept = a.diary._state.connection
    assert names
    assert all(receipts.answer_for(kept, name) is not None for name in names)


def test_with_nothing_to_do_a_sync_is_one_request_and_writes_nothing(stage: Stage) -> None:
    a, _, _ = two_devices(stage, [TEN])
    a.sync()
    asked, wal = len(a.failing.paths), (a.diary.home / "diary.db-wal").read_bytes()
    a.sync()
    assert a.failing.paths[asked:] == ["POST /v1/pull"]
    assert (a.diary.home / "diary.db-wal").read_bytes() == wal


@rule("R46")
def test_no_planted_secret_is_in_the_traffic_or_at_the_server(stage: Stage) -> None:
    secrets = ("zebra-memo", "zebra-title", "zebra-label", "zebra-contract", "zebra-client", "zebra-device")
    a = stage.first(registered=False)
    contract = a.diary.new_contract(title="zebra-contract", client="zebra-client", labels=("zebra-label",))
    picture = b"zebra-pixels" * 50
    record_slot(
        a.diary, contract, TEN, memo="zebra-memo", label="zebra-label", title="zebra-title", picture=picture
    )
    register(a.diary, a.line)
    b = stage.another(a.diary.phrase() or "")
    b.diary.edit([(contract.id, TEN)], memo="zebra-memo of the other")
    b.sync()
    a.sync()
    carried = b"".join([*a.failing.traffic, *b.failing.traffic, stage.stored_bytes()])
    assert len(carried) > 10_000
    phrase = a.diary.phrase() or ""
    for secret in (*secrets, "zebra-pixels", phrase, " ".join(phrase.split()[:2])):
        assert secret.encode() not in carried


@rule("R48")
def test_an_answer_that_another_key_signed_is_not_believed(stage: Stage) -> None:
    a = stage.first()
    a.diary.link_server(stage.url, "0" * 64)
    contract = a.diary.new_contract(title="Practice")
    place = record_slot(a.diary, contract, TEN)
    with pytest.raises(ForgedAnswerError):
        a.sync()
    assert a.segment(place).state == "unsynced"


@rule("R50")
def test_a_diary_is_not_moved_to_another_server_by_the_way(stage: Stage, tmp_path: Path) -> None:
    a = stage.first()
    with serving(tmp_path / "elsewhere", stage.clock) as url:
        a.line.url = url
        with pytest.raises(OtherServerError):
            register(a.diary, a.line)


@rule("R50")
def test_registering_once_more_is_a_sync(stage: Stage) -> None:
    a = stage.first()
    a.diary.new_contract(title="Practice")
    assert register(a.diary, a.line).pushed == 4
    assert register(a.diary, a.line).pushed == 0


@rule("R50")
def test_a_lost_reply_to_the_enrolment_is_mended_by_asking_again(stage: Stage) -> None:
    a = stage.first(registered=False)
    a.failing.fates = ["pass", "lose"]
    with pytest.raises(UnreachableError):
        register(a.diary, a.line)
    assert a.diary.server() is None
    register(a.diary, a.line)
    assert a.diary.queue().versions == 0


@rule("R50")
def test_a_phrase_whose_account_the_server_does_not_know_is_said(stage: Stage, tmp_path: Path) -> None:
    a = stage.first(registered=False)
    line, _ = stage.line()
    home = tmp_path / "second"
    home.mkdir()
    with line, pytest.raises(UnknownAccountError, match="no account of this phrase"):
        login(
            home,
            line,
            a.diary.phrase() or "",
            clock=a.clock,
            place=choose_place(home, "file"),
            device_name="second",
        )
    assert list(home.iterdir()) == []


def test_a_diary_without_a_server_says_how_to_register(stage: Stage) -> None:
    a = stage.first(registered=False)
    with pytest.raises(NotRegisteredError, match="not registered"):
        a.sync()


@rule("R17")
def test_what_is_in_its_notice_period_does_not_leave(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    a.diary.set_setting("hold_seconds", 3600)
    # Over at eleven, five minutes after its snapshot: held until five to twelve.
    place = record_slot(a.diary, contract, slot("2026-11-18T10:50Z"))
    a.clock.put(stage.clock.now_ms() - 3_000_000)
    stage.clock.put(a.clock.now_ms())
    assert a.sync().pushed == 0
    assert a.segment(place).state == "held"
    stage.put_clocks("2026-11-18T12:00Z")
    a.sync()
    assert a.segment(place).state == "synced"


@rule("R41")
def test_an_upload_goes_on_where_it_stopped(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    large = bytes(range(256)) * 4 * (PART_BYTES_FIRST // 1024) * 3
    place = record_slot(a.diary, contract, TEN, picture=large)
    # A pull, a push, the question about the picture and one part; then the line is gone.
    a.failing.fates = ["pass"] * 4 + ["refuse"]
    with pytest.raises(UnreachableError):
        a.sync()
    asked = len(a.failing.paths)
    a.sync()
    name = a.segment(place).snapshots[0].screen
    uploads = [path for path in a.failing.paths[asked:] if path == f"PUT /v1/pictures/{name}"]
    whole = [path for path in a.failing.paths if path == f"PUT /v1/pictures/{name}"]
    assert len(uploads) < len(whole)
    line, _ = stage.line()
    line.authorise(a.diary.account, a.diary.replica, a.diary.token)
    with line:
        found = line.picture_part(name, 0, PICTURE_BYTES_MAX)
        assert found is not None
        assert found.content == a.diary.sealed_picture(name)


@rule("R41")
def test_rows_go_before_pictures_on_the_wire(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    record_slot(a.diary, contract, TEN)
    asked = len(a.failing.paths)
    a.sync()
    kinds = [path.split("/")[2] for path in a.failing.paths[asked:]]
    # One request a picture: what goes in one piece is not asked about first.
    assert kinds == ["pull", "push", *["pictures"] * 2]


@rule("R41")
def test_the_nearest_open_lock_goes_first_and_locked_weeks_last(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    weeks = {"locked": "2026-11-04T10:00Z", "this": "2026-11-16T10:00Z", "nearest": "2026-11-11T10:00Z"}
    a.clock.put(stage.clock.now_ms() - 14 * 86_400_000)
    for text in weeks.values():
        record_slot(a.diary, contract, slot(text))
    stage.put_clocks("2026-11-16T11:00Z")
    a.diary.send_asked()
    due = a.diary.due()
    push = a.diary.sign_push([item.id for item in due], stage.url)
    slots = [msgspec.json.decode(sealed.header)["slot"] for sealed in push.versions]
    named = {slot(text): name for name, text in weeks.items()}
    assert list(dict.fromkeys(named[at] for at in slots)) == ["nearest", "this", "locked"]


@rule("R41")
def test_pictures_go_by_the_nearest_open_lock_too_and_locked_weeks_last(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    weeks = {"locked": "2026-11-04T10:00Z", "this": "2026-11-16T10:00Z", "nearest": "2026-11-11T10:00Z"}
    a.clock.put(stage.clock.now_ms() - 14 * 86_400_000)
    places = {name: record_slot(a.diary, contract, slot(text)) for name, text in weeks.items()}
    stage.put_clocks("2026-11-16T11:00Z")
    a.diary.send_asked()
    asked = len(a.failing.paths)
    a.sync()
    named = {
        picture: name
        for name, place in places.items()
        for snapshot in a.segment(place).snapshots
        for picture in (snapshot.screen, snapshot.thumbnail)
    }
    sent = [path.rpartition("/")[2] for path in a.failing.paths[asked:] if path.startswith("PUT")]
    assert [named[picture] for picture in sent] == ["nearest"] * 2 + ["this"] * 2 + ["locked"] * 2


@dataclass
class SlowClock(GivenClock):
    """A clock on which every look takes seconds, as if the line were slow."""

    monotonic: int = 0

    def monotonic_ms(self) -> int:
        self.monotonic += 6_000
        return self.monotonic


@rule("R41")
def test_rows_that_are_written_during_a_long_upload_do_not_wait_for_its_end(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, picture=bytes(range(256)) * 1024)
    sealed = a.diary.sealed_picture(a.segment(place).snapshots[0].screen)
    assert sealed is not None
    uploads = Uploads(a.line, SlowClock(Millis(0)), Pace(part_bytes=PART_BYTES_MIN))
    a.failing.fates = ["pass"] * 2 + ["refuse"]  # the rows, and no picture
    with pytest.raises(UnreachableError):
        a.sync()
    name = a.segment(place).snapshots[0].screen
    slices = []
    while "whole" not in slices:
        slices.append(uploads.send(name, sealed))
    # Each slice ends after a part or two, and the next goes on where it stopped.
    assert set(slices) == {"unfinished", "whole"}
    assert len(slices) > 5
    parts = [path for path in a.failing.paths if path == f"PUT /v1/pictures/{name}"]
    assert len(parts) == -(-len(sealed) // PART_BYTES_MIN)


@rule("R41")
def test_a_picture_that_broke_off_is_fetched_on_from_where_it_stopped(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN, picture=bytes(range(256)) * 1024)
    a.sync()
    name = a.segment(place).snapshots[0].screen
    sealed = a.diary.sealed_picture(name)
    assert sealed is not None
    fetches = Fetches(b.line, SlowClock(Millis(0)), Pace(part_bytes=PART_BYTES_MIN))
    b.failing.fates = ["pass"] * 3 + ["refuse"]
    came: bytes | bool = True
    tries = 0
    while came is True:
        try:
            came = fetches.fetch(name)
        except UnreachableError:
            tries += 1
    assert came == sealed
    assert tries == 1
    whole = [path for path in b.failing.paths if path == f"GET /v1/pictures/{name}"]
    # One for each part, and the one that broke off once more.
    assert len(whole) == -(-len(sealed) // PART_BYTES_MIN) + 1
    assert fetches.fetch("0" * 64) is False


@rule("R25")
def test_a_picture_whose_row_was_deleted_meanwhile_is_not_sent(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    place = record_slot(a.diary, contract, TEN)
    a.failing.fates = ["pass", "pass", "refuse"]
    with pytest.raises(UnreachableError):
        a.sync()
    name = a.segment(place).snapshots[0].screen
    sealed = a.diary.sealed_picture(name)
    b.sync()
    b.diary.remove([place])
    b.sync()
    assert Uploads(a.line, a.clock).send(name, sealed) == "gone"
    a.sync()
    assert stage.stored_pictures() == []
    assert a.diary.sealed_picture(name) is None


@rule("R41")
def test_a_fetched_picture_that_is_not_what_its_name_says_is_not_kept(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [TEN])
    name = a.segment((contract.id, TEN)).snapshots[0].screen
    with pytest.raises(WrongPictureError):
        a.diary.keep_picture(name, SCREEN)


def test_progress_is_told_after_each_answer(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    record_slot(a.diary, contract, TEN)
    told: list[Progress] = []
    Engine(a.diary, a.line, progress=told.append).run()
    assert [progress.pushed for progress in told][-1] == 2
    assert told[-1].pictures == 2


@rule("R55")
def test_what_was_sent_is_on_record(stage: Stage) -> None:
    a, _, contract = two_devices(stage, [])
    record_slot(a.diary, contract, TEN)
    a.sync()
    rows = a.diary._state.connection.execute("SELECT server, what, bytes FROM sent ORDER BY id DESC LIMIT 3")
    assert [(server, what, size > 0) for server, what, size in rows] == [
        (stage.url, "picture", True),
        (stage.url, "picture", True),
        (stage.url, "versions", True),
    ]


@rule("R44")
def test_a_diary_of_more_than_one_push_goes_in_several(stage: Stage) -> None:
    a, b, contract = two_devices(stage, [])
    at = [Slot(TEN - back) for back in range(200)]
    for each in reversed(at):
        record_slot(a.diary, contract, each, picture=None)
    assert a.sync().pushed == 400
    assert a.failing.paths.count("POST /v1/push") > 2
    b.sync()
    assert [one.memo for one in b.diary.week(WEEK).segments] == [
        one.memo for one in a.diary.week(WEEK).segments
    ]
