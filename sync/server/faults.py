"""Why a whole request is not answered: each fault with its status and its word (R44).

A row that is refused is no fault: it is answered row by row (`sync.server.arbiter`). A fault stores nothing.
"""

from collections.abc import Callable
from typing import ClassVar, TypeVar

from diary.errors import DiaryError
from sync.protocol import Fault

ATTEMPTS = 3  # a restart or a collision seldom strikes twice; the device comes again anyway

_Result = TypeVar("_Result")


class FaultError(DiaryError):
    """The parent of every fault; `status` is the HTTP status, `reason` the word in the answer.

    `retry_after_seconds` is when the same request may be answered, None where that is not known.
    """

    status: ClassVar[int] = 400
    reason: ClassVar[str] = "bad_request"
    retry_after_seconds: int | None = None

    def fault(self) -> Fault:
        """Return the fault as it is answered."""
        return Fault(reason=self.reason, because=self.in_full)


class UnreadableError(FaultError):
    """The request is not of the protocol's shape."""

    says = "{what}"


class UnreadableHeaderError(FaultError):
    """A version that the whole request stands on has no header that can be read."""

    says = "{what}"
    reason = "bad_header"


class ForgedError(FaultError):
    """A signature does not hold: nothing in the request can be taken for its author's (R48)."""

    says = "{what}"
    mend = "Nothing of this request was taken."
    reason = "bad_signature"


class NotEnrolledError(FaultError):
    """The token is missing, wrong, or of a replica that this server does not know."""

    says = "This server knows no replica by that token."
    mend = "Enrol the device: diary register, or diary login on a second device."
    status = 401
    reason = "not_enrolled"


class RevokedError(FaultError):
    """The account's device list has revoked this replica (R50)."""

    says = "The account's device list no longer counts this replica."
    mend = "Enrol it again with the recovery phrase: diary login."
    status = 403
    reason = "device_revoked"


class NotYoursError(FaultError):
    """The request names an account that its token does not belong to."""

    says = "The token belongs to another account than the request names."
    status = 403
    reason = "not_yours"


class InvitationUnknownError(FaultError):
    """No invitation of the account's contract has the secret by which somebody joins (R51)."""

    says = "This server knows no such invitation."
    mend = "Compare the link with the one that was sent to you, or ask for a new one."
    status = 403
    reason = "invitation_unknown"


class InvitationExpiredError(FaultError):
    """The invitation's time is over, or it was withdrawn (R51)."""

    says = "This invitation has expired or was withdrawn."
    mend = "Ask for a new link."
    status = 403
    reason = "invitation_expired"


class InvitationUsedError(FaultError):
    """Somebody joined by this invitation already: a link works once (R51)."""

    says = "This invitation was used already: a link works once."
    mend = "If that was not you, tell whoever invited you; then ask for a new link."
    status = 403
    reason = "invitation_used"


class SuspendedError(FaultError):
    """The operator suspended the account: its rows are taken, its pictures wait on the device (R44)."""

    says = "This server's operator has suspended the account: {because}."
    mend = "Rows are taken as ever and pictures wait on your device. Write to whoever runs the server."
    status = 403
    reason = "account_suspended"


class RegistrationClosedError(FaultError):
    """The server takes no account that its operator has not admitted."""

    says = "This server takes no new accounts."
    mend = "Ask who runs it to admit yours: diary server account admit {account}."
    status = 403
    reason = "registration_closed"


class NotFoundError(FaultError):
    """There is no such thing, or none that this account may see."""

    says = "{what}"
    status = 404
    reason = "not_found"


class UploadOffsetError(FaultError):
    """A part of a picture does not continue what is held; `held` says where it would (R41)."""

    says = "The upload continues at byte {held}."
    mend = "Ask by HEAD where to go on."
    status = 409
    reason = "upload_offset"


class DeviceListError(FaultError):
    """The device list does not follow the one that is known (R50)."""

    says = "{what}"
    mend = "Read the newest list (/v1/device-list) and sign its successor."
    status = 409
    reason = "bad_device_list"


class TooLargeError(FaultError):
    """The request is over a limit in bytes (R44)."""

    says = "{what}"
    status = 413
    reason = "too_large"


class QuotaError(FaultError):
    """The account's pictures would take more room than the operator gives it; rows are taken (R44)."""

    says = "The account's pictures may take {quota} bytes at this server, and take {held}."
    mend = "It is taken once there is room: delete what is not needed, or ask who runs the server for more."
    status = 413
    reason = "quota"


class TooManyVersionsError(FaultError):
    """The push holds more versions than one request may (R44)."""

    says = "A push holds at most {limit} versions; this one has {count}."
    status = 413
    reason = "too_many_versions"


class WrongHashError(FaultError):
    """The whole upload is not the picture that its name promises; the part was dropped (R41)."""

    says = "The uploaded bytes are not the picture of that name; they were dropped."
    mend = "Upload it again from the start."
    status = 422
    reason = "wrong_hash"


class TooManyRequestsError(FaultError):
    """Somebody who has shown nothing yet asks too often (R44)."""

    says = "Too many requests of this kind came from there: the next one is answered in {wait_seconds} s."
    status = 429
    reason = "too_many_requests"

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(wait_seconds=wait_seconds)
        self.retry_after_seconds = wait_seconds


class ClockUnsureError(FaultError):
    """The server's clock may be wrong, so nothing can be received or refused by it now (R6)."""

    says = "The server does not trust its clock: {why}."
    mend = (
        "Nothing of this request was stored; it can be sent again. If the clock stays quiet, the server goes "
        "on in {wait_seconds} s; at once when its operator confirms it: diary server confirm-clock."
    )
    status = 503
    reason = "clock_unsure"
    retry_after_seconds = 30


class BusyError(FaultError):
    """The storage could not take the request now; nothing of it was stored."""

    says = "The server cannot store anything at this moment: {what}."
    mend = "Try again in a while; nothing of this request was stored."
    status = 503
    reason = "busy"
    retry_after_seconds = 1


class BrokenOffError(BusyError):
    """The database, or the line to it, broke a transaction off: it may be begun again at once (R40).

    Whether it was committed may be unknown: only what can be done twice is begun again.
    """


def again(work: Callable[[], _Result]) -> _Result:
    """Return what `work` returns, begun again while the database breaks it off (R40).

    Only for work that changes nothing when it is done twice.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except BrokenOffError:
            continue
    return work()
