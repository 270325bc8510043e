"""Pictures that were thinned here, fetched again because somebody wants to see them now (R31)."""

from collections.abc import Collection
from contextlib import closing

from diary.diary import Diary
from sync.engine import Engine
from sync.transport import Transport


def fetch(diary: Diary, names: Collection[str]) -> None:
    """Fetch thinned pictures by a sync of their own; what the server has no more stays away.

    Raises:
        PeerError: The server cannot be reached or trusted; they come with a later sync.
    """
    link = diary.server()
    if diary.want_pictures(names) and link is not None:
        with closing(Transport(link.url)) as line:
            Engine(diary, line).run()
