"""`diary agency` at the command line: granting a manager's reading, and ending it (SPEC, section 1; R51)."""

from diary.sealing.invitation import parse_link
from tests.diary.typed import Typist
from tests.practice import slot
from tests.rule import rule
from tests.sync.clients import join_in
from tests.sync.stage import Stage, two_devices

FIRST = slot("2026-11-18T09:00Z")
AGENCY = "a9" * 16


@rule("R51")
def test_a_freelancer_grants_and_ends_a_managers_reading_in_words(stage: Stage) -> None:
    a, _, _ = two_devices(stage, (FIRST,))
    freelancer = Typist(a.diary.home, a.clock)
    assert freelancer.json("agency", "show") == {"account": a.diary.account, "granted": []}
    said = freelancer.types("agency", "grant", "Practice", AGENCY)
    assert "diary sync" not in said.err, "it was sent at once"
    # The server of this test logs to the same output.
    (link,) = [line for line in said.out.splitlines() if line.startswith("http")]
    manager = join_in(stage, parse_link(link), "manager")
    a.sync()
    (view,) = freelancer.json("agency", "show")["granted"]
    assert (view["title"], view["agency"]) == ("Practice", AGENCY)
    assert view["joined_at"] is not None
    assert "reads along:  the manager" in freelancer.types("contract", "show", "Practice").out
    theirs = Typist(manager.diary.home, manager.clock)
    manager.sync()
    assert len(theirs.json("week", "2026-W47")["segments"]) == 1
    assert theirs.types("contract", "terms", "Practice", "--limit", "1h", says=3).err.startswith(
        "not_yours: "
    )
    assert theirs.types("agency", "leave", "Practice", "--yes", says=2).err
    assert "no agency reads" in freelancer.types("agency", "leave", "Practice", "--yes").out
    assert freelancer.types("agency", "leave", "Practice", "--yes", says=1).out == ""
    assert freelancer.json("agency", "show")["granted"] == []
    assert theirs.types("sync", says=5).err.startswith("device_revoked: ")


@rule("R51")
def test_what_names_no_agency_is_said_so(stage: Stage) -> None:
    a, _, _ = two_devices(stage, ())
    freelancer = Typist(a.diary.home, a.clock)
    assert "is no agency's id" in freelancer.types("agency", "grant", "Practice", "brown", says=2).err
    assert a.diary.invitations() == ()


@rule("R61")
@rule("R67")
def test_an_agency_adds_lists_and_removes_its_members_contracts_in_words(stage: Stage) -> None:
    a, _, contract = two_devices(stage, (FIRST,))
    agency = stage.first()
    manager = Typist(agency.diary.home, agency.clock)
    link = a.diary.invite_manager(contract.id, agency.diary.account).link
    a.sync()
    assert "No contract stands on your bill" in manager.types("agency", "members").err
    said = manager.types("agency", "add", link.text, "--member", "Ada", "--client", "Brown", "--key-file")
    assert "“Practice” is read here" in said.out
    shown = manager.json("agency", "members", "2026-W47")
    (one,) = shown["members"]
    assert (one["member"], one["title"], one["client"], one["sent"]) == ("Ada", "Practice", "Brown", True)
    assert (shown["week"], one["totals"]["segments"]) == ("2026-W47", 1)
    table = manager.types("agency", "members", "2026-W47").out
    assert all(word in table for word in ("Ada", "Practice", "Brown", "0:10"))
    assert "Practice: 0 new" in manager.types("agency", "sync").out
    assert "bills by itself" in manager.types("agency", "remove", contract.id[:8], "--yes").out
    assert manager.types("agency", "remove", contract.id[:8], "--yes", says=1).out == ""
    assert manager.json("agency", "members")["members"] == []
