"""How often somebody may ask who has shown nothing yet: by address, and by account (R44).

Enrolling, joining and reading device lists are open to who has no token, and each costs a signature or a look
into the database; so does a wrong token. Each address may do a number of them at once and then one now and
then. An account's are counted once they were proven: nobody can use up another's. Pure but for what it
remembers, which is bounded; each process counts for itself.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from sync.server.faults import TooManyRequestsError

REMEMBERED_MAX = (
    20_000  # addresses or accounts of one kind, about 3 MB; those that asked longest ago go first
)
NETWORK_BITS_6 = 64  # what one subscriber has of IPv6: each may take any address in it


@dataclass(frozen=True, slots=True)
class Pace:
    """So many at once, and one more each so many milliseconds."""

    burst: int
    every_ms: int


UNPROVEN: Final = Pace(burst=60, every_ms=2_000)  # an office behind one address may enrol all its devices
NONCES: Final = Pace(burst=600, every_ms=100)  # a device that heals a server wants one a request
WRONG_TOKENS: Final = Pace(burst=60, every_ms=2_000)
OF_ACCOUNT: Final = Pace(burst=100, every_ms=60_000)  # a list holds 200 devices in all


class Rate:
    """Counts one kind of request by who makes it: the generic cell rate algorithm, a number for each."""

    def __init__(self, pace: Pace, most: int = REMEMBERED_MAX) -> None:
        self._pace = pace
        self._most = most
        self._free_at_ms: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._free_at_ms)

    def wait_ms(self, who: str, now_ms: int) -> int:
        """Return for how long nothing more is taken of them; 0: at once."""
        spare_ms = (self._pace.burst - 1) * self._pace.every_ms
        return max(0, self._free_at_ms.get(who, now_ms) - now_ms - spare_ms)

    def count(self, who: str, now_ms: int) -> None:
        """Count one that was taken."""
        self._free_at_ms[who] = max(now_ms, self._free_at_ms.pop(who, now_ms)) + self._pace.every_ms
        if len(self._free_at_ms) > self._most:
            self._free_at_ms.popitem(last=False)


class Rates:
    """All that is counted; `now_ms` is a clock that nobody sets. Asked from one thread, the event loop's."""

    def __init__(self) -> None:
        self.unproven = Rate(UNPROVEN)
        self.nonces = Rate(NONCES)
        self.wrong_tokens = Rate(WRONG_TOKENS)
        self.of_account = Rate(OF_ACCOUNT)

    @staticmethod
    def take(rate: Rate, who: str | None, now_ms: int) -> None:
        """Count one, unless there were too many; nobody is None, and is not counted.

        Raises:
            TooManyRequestsError: There were.
        """
        Rates.require(rate, who, now_ms)
        if who is not None:
            rate.count(who, now_ms)

    @staticmethod
    def require(rate: Rate, who: str | None, now_ms: int) -> None:
        """Check that there were not too many.

        Raises:
            TooManyRequestsError: There were.
        """
        if who is None or not len(rate):
            return
        wait_ms = rate.wait_ms(who, now_ms)
        if wait_ms:
            raise TooManyRequestsError(wait_seconds=-(-wait_ms // 1000))


def who_asks(host: str | None) -> str | None:
    """Return by what an address is counted: its network in IPv6; None for this machine and for no address.

    What comes from this machine is its owner's, or a proxy's that does not say for whom it asks: then all of
    its users would share one count.
    """
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, NETWORK_BITS_6), strict=False))
