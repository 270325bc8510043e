"""What an alarm means and what to do about it, in words for whoever is not a programmer (R56)."""

_WHAT_IT_MEANS = {
    "hole": "The server left rows out of a contract's log.",
    "withheld": "Another party was shown rows that were held back from you.",
    "log_shrank": "The server shows fewer rows than it had signed, and does not say that it was restored.",
    "log_epoch": "The server began a log anew without a signed statement.",
    "log_forked": "The server signed two different logs of one contract.",
    "heads_differ": "Another party says, in a row of theirs, that they were shown another log than you.",
    "unanswered": "The server shows another log than it had signed, and for a week it did not say why.",
    "deletion_dropped": "The server gave a receipt for a deletion, and shows the log without it.",
    "retimed": "The server gave a row another time of receipt than it had.",
    "bad_receipt": "The server gave a receipt for something that this device did not send.",
    "unsigned_head": "The server showed a log, a head or a seal without its own signature.",
    "bad_signature": "The server shows a row that its writer did not sign.",
    "unlisted_device": "The server shows a row by a device that your account does not list.",
    "device_list": "The server shows a list of devices that goes back or forks.",
    "wrong_place": "The server shows a row in another place than it was written for.",
    "version_reused": "One name was given to two different versions.",
    "bad_joining": "Somebody joined a contract without a valid invitation.",
    "wrong_side": "A party wrote what only the other may write.",
    "invoice_differs": "The server signed an invoice that your diary does not come to; nothing of it is due.",
    "invoice_missing": "The server left out an invoice, or something that its invoices were to bill.",
    "seal_differs": "The server sealed a week that the log does not come to; it is not shown as sealed.",
}
WHAT_TO_DO = (
    "Keep this diary and a backup of it: it holds the server's own signed statements (diary audit --json)."
    " Compare with the other party, outside of this server, what each of you was shown. Ask whoever runs the"
    " server; where they cannot explain it, register with another one."
)


def meaning_of(kind: str) -> str:
    """Return what an alarm of that kind means, "" for one that says all there is to say."""
    return _WHAT_IT_MEANS.get(kind, "")
