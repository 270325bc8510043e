"""A naive reader of the feeds: page after page from its cursor, over a line that fails (R25, R45)."""

import json
from collections import defaultdict

import httpx

from diary.errors import PeerError
from diary.evidence.opening import FIRST_EPOCH, SignedOpening, read_opening
from diary.evidence.receipt import Cursor, LogRow
from diary.rules.ids import ContractId
from sync.protocol import Pull
from sync.transport import Transport
from tests.model.device import FAILING, URL, Fate, Line
from tests.model.oracle import Name
from tests.model.world import World


class Follower:
    """What came so far, by contract; a page must go on where the last one ended.

    Where the server states that it was restored, all is read anew (R43).
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._log_epoch = FIRST_EPOCH
        self.rows = defaultdict[ContractId, list[LogRow]](list)
        self.bare = set[Name]()

    @property
    def size(self) -> int:
        """Return how many rows came in all."""
        return sum(len(rows) for rows in self.rows.values())

    def follow(self, rows_max: int, fates: list[Fate], *, from_start: bool) -> bool:
        """Ask for the next rows, or for all from the start; return whether more are there."""
        cursors = {contract: Cursor(self._log_epoch, len(rows)) for contract, rows in self.rows.items()}
        pull = Pull(
            account=self._world.readers[0].diary.account,
            cursors={} if from_start else cursors,
            rows_max=rows_max,
            log_epoch=self._log_epoch,
        )
        line = Line(self._world)
        line.fates = list(fates)
        with Transport(URL, client=httpx.Client(transport=line), attempts=1) as transport:
            reader = self._world.readers[0].diary
            transport.authorise(reader.account, reader.replica, reader.token)
            try:
                answer = transport.pull(pull)
            except PeerError:
                if FAILING.isdisjoint(fates):
                    raise
                return True
        if answer.openings:
            self._begin_anew(answer.openings)
            return True
        for page in answer.pages:
            start = 0 if from_start else len(self.rows[page.contract])
            assert [row.index for row in page.rows] == list(range(start, start + len(page.rows)))
            epochs = [row.log_epoch for row in page.rows]
            assert epochs == sorted(epochs), "a log goes back to an epoch that is over"
            assert max(epochs, default=self._log_epoch) <= self._log_epoch == page.head.log_epoch
            known = self.rows[page.contract]
            for row in page.rows:
                self._take(known, row)
        return answer.more

    def _begin_anew(self, openings: list[SignedOpening]) -> None:
        link = self._world.readers[0].diary.server()
        assert link is not None
        stated = [read_opening(signed, bytes.fromhex(link.key)).log_epoch for signed in openings]
        assert stated == sorted(set(stated))
        assert stated[0] > self._log_epoch, "a statement is given that was known"
        self._log_epoch = stated[-1]
        self.rows.clear()
        self.bare.clear()

    def _take(self, known: list[LogRow], row: LogRow) -> None:
        """Check a row against the one of its index, and that no content comes back that was given up."""
        header = json.loads(row.header)
        name = (header["replica"], header["n"])
        if row.body is None:
            self.bare.add(name)
        else:
            assert name not in self.bare, f"the feed shows the content of {name} again"
        if row.index < len(known):
            first = known[row.index]
            assert (first.header, first.body_hash, first.push, first.received_at_ms) == (
                row.header,
                row.body_hash,
                row.push,
                row.received_at_ms,
            )
        else:
            known.append(row)
