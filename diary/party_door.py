"""What the two parties of a contract say to each other, as methods of the one door (R8, R10, R38, R54, R62).

A freelancer's device and a client's replica have the same methods: what is the other party's to say is
refused by name.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from diary import parties, saying
from diary.parties import DisputeView, RequestView
from diary.rules.act_parts import VersionName
from diary.rules.acts import Redaction
from diary.rules.ids import ContractId, ReplicaId, Slot
from diary.rules.timesheet import Place
from diary.rules.week import Week
from diary.state_door import StateDoor

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class PartyDoor(StateDoor):
    """What is asked, answered, accepted, disputed and redacted; every method is one transaction."""

    def seats(self, contract_id: ContractId) -> frozenset[ReplicaId]:
        """Return every seat of the client that ever joined: from then on the terms are theirs (R8)."""
        with self._state.reading():
            return parties.clients(self._state, contract_id)

    def requests(self, contract_id: ContractId) -> tuple[RequestView, ...]:
        """Return what was asked for on a contract and what became of it, the newest first (R10)."""
        with self._state.reading():
            return parties.requests(self._state, contract_id)

    def disputes(self, contract_id: ContractId) -> tuple[DisputeView, ...]:
        """Return what the client disputes or disputed on a contract, the newest first (R62)."""
        with self._state.reading():
            return parties.disputes(self._state, contract_id)

    def redactions(self, contract_id: ContractId) -> dict[Slot, Redaction]:
        """Return how far the redaction of each named slot of a contract has come (R54)."""
        with self._state.reading():
            return parties.redactions(self._state, contract_id)

    def ask_manual_time(
        self, contract_id: ContractId, reason: str, *, week: Week | None = None
    ) -> VersionName:
        """Ask the client to allow manual time, for the contract or one week (R10)."""
        return saying.ask_manual_time(self._state, contract_id, reason, week=week)

    def take_request_back(self, contract_id: ContractId, request: VersionName) -> None:
        """Take an unanswered request back (R10)."""
        saying.take_request_back(self._state, contract_id, request)

    def answer_request(
        self, contract_id: ContractId, request: VersionName, *, allows: bool, reason: str = ""
    ) -> None:
        """Allow or decline a request, as the client (R10)."""
        saying.answer_request(self._state, contract_id, request, allows=allows, reason=reason)

    def accept_late(self, places: Iterable[Place], reason: str = "") -> int:
        """Accept late time, as the client; return how many segments (R38)."""
        return saying.accept_late(self._state, places, reason)

    def accepted_late(self) -> int:
        """Return how many late segments were accepted so far (R38)."""
        with self._state.reading():
            return sum(len(found.accepted) for found in parties.marks(self._state).values())

    def dispute(self, places: Iterable[Place], reason: str) -> int:
        """Dispute segments of a week in review, as the client; return how many (R62)."""
        return saying.dispute(self._state, places, reason)

    def take_dispute_back(self, places: Iterable[Place], reason: str = "") -> int:
        """Dispute segments no longer, as the client; return how many (R62)."""
        return saying.take_dispute_back(self._state, places, reason)

    def reply(self, places: Iterable[Place], reason: str) -> int:
        """Reply to what the client disputes; return about how many segments (R62)."""
        return saying.reply(self._state, places, reason)

    def reply_with_bundle(self, places: Iterable[Place], reason: str, zone: "ZoneInfo") -> tuple[int, str]:
        """Reply to a dispute with the segments' bundle; return how many, and the file's name (R59, R62)."""
        from diary.proving_disputes import reply_with_bundle

        return reply_with_bundle(self._state, places, reason, zone)

    def concede(self, places: Iterable[Place], reason: str = "") -> int:
        """Concede what the client disputes, as the freelancer; return how many segments (R62)."""
        return saying.concede(self._state, places, reason)

    def redact(self, places: Iterable[Place], reason: str = "") -> int:
        """Sign that frozen segments be redacted; return for how many both parties have signed (R54)."""
        return saying.redact(self._state, places, reason)
