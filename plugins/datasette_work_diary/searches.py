"""The words of the last searches, in the viewer's memory (R52).

A browser keeps addresses, on disk, for long: so the words are sent in a form and stay here, and the address
names them by a number of chance. Back and reload work while the viewer runs.
"""

import secrets
from collections import OrderedDict


class Searches:
    """The words of the last searches, by the number in their address."""

    KEPT_MAX = 200

    def __init__(self) -> None:
        self._words: OrderedDict[str, str] = OrderedDict()

    def keep(self, words: str) -> str:
        """Return the number under which these words are found again."""
        number = secrets.token_hex(8)
        self._words[number] = words
        while len(self._words) > self.KEPT_MAX:
            self._words.popitem(last=False)
        return number

    def words(self, number: str) -> str | None:
        """Return the words of a number; None when they were forgotten."""
        return self._words.get(number)
