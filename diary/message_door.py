"""The messages of the two parties of a contract, as methods of the one door (R68)."""

from collections.abc import Sequence

from diary import conversations, messaging
from diary.conversations import ConversationView, FileView
from diary.messaging import NewFile, News
from diary.rules.act_parts import VersionName
from diary.rules.ids import ContractId
from diary.state_door import StateDoor


class MessageDoor(StateDoor):
    """What is written and read between the parties; a device and a client's replica have the same."""

    def conversation(self, contract_id: ContractId) -> ConversationView:
        """Return a contract's messages, the oldest first (R68)."""
        with self._state.reading():
            return conversations.conversation(self._state, contract_id)

    def unread(self) -> dict[ContractId, int]:
        """Return how many messages are unread in each contract that has any (R68)."""
        with self._state.reading():
            return conversations.unread(self._state)

    def message_file(self, contract_id: ContractId, sealed_name: str) -> tuple[FileView, bytes]:
        """Return a file of a contract's messages, opened (R68)."""
        return conversations.file(self._state, contract_id, sealed_name)

    def send_message(self, contract_id: ContractId, text: str, files: Sequence[NewFile] = ()) -> VersionName:
        """Write a message; nobody can take it back (R68)."""
        return messaging.send(self._state, contract_id, text, files)

    def mark_read(self, contract_id: ContractId, up_to: VersionName | None = None) -> int:
        """Say that the messages were read, up to one or all; return how many more were (R68)."""
        return messaging.mark_read(self._state, contract_id, up_to)

    def message_news(self) -> tuple[News, ...]:
        """Return what came and was not told yet; it is told with this (R68)."""
        return messaging.news(self._state)

    def call(self, contract_id: ContractId) -> str:
        """Return the address of a contract's video call (R68)."""
        return messaging.call(self._state, contract_id)

    def set_call(self, contract_id: ContractId, link: str) -> VersionName:
        """Set the address of a contract's video call, "" for none any more (R68)."""
        return messaging.set_call(self._state, contract_id, link)
