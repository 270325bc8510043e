"""A server that does not answer whether it was restored is asked with every sync, and that is noted (R43)."""

from collections.abc import Iterator
from contextlib import contextmanager

from diary.diary import Diary
from diary.errors import PeerError
from diary.evidence.alarm import FeedFaultError
from diary.unanswered import Suspicion
from sync.line_faults import (
    BrokenProtocolError,
    GatedError,
    NotEnrolledError,
    RevokedError,
    ServerFailedError,
    TurnedAwayError,
    UnreachableError,
    UnsureServerError,
)

_NO_ANSWER = (
    UnreachableError,
    GatedError,
    ServerFailedError,
    TurnedAwayError,
    NotEnrolledError,
    BrokenProtocolError,
)


class UnansweredError(ServerFailedError):
    """The server shows less than it had signed, or something else, and does not say why (R43)."""

    says = "The server does not answer for its log: {what}. Asked for it, this came: {why}"
    mend = "Nothing is sent to it or taken from it meanwhile; what is here stays here. {remedy}"


@contextmanager
def answering(diary: Diary, suspicion: Suspicion) -> Iterator[None]:
    """Note that the server does not answer for what it shows, where the block fails for any reason of its.

    Raises:
        UnansweredError: It does not, or the line to it broke.
        PeerError: What it answers is not to be believed, has no end, or is that this device was revoked.
    """
    try:
        yield
    except (FeedFaultError, RevokedError, UnansweredError):
        raise  # these are answers, or noted
    except PeerError as error:
        is_clock_unsure = isinstance(error, UnsureServerError)
        diary.note_unanswered(suspicion, is_clock_unsure=is_clock_unsure)
        if not isinstance(error, _NO_ANSWER):
            raise
        later_ms = error.retry_after_ms if isinstance(error, ServerFailedError) else None
        why, remedy = error.what_happened, error.how_to_mend
        raise UnansweredError(what=suspicion.what, why=why, remedy=remedy, retry_after_ms=later_ms) from error
