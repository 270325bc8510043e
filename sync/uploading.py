"""One picture on its way to the server, part by part, from where it stopped (R41)."""

from sync.transport import Transport, TurnedAwayError

UPLOAD_PART_BYTES = 256 * 1024  # half a minute on a line of 64 kbit/s; what broke off is sent again


def send_picture(line: Transport, name: str, ciphertext: bytes | None) -> bool | None:
    """Send a picture from where its upload stopped; return whether the server has it whole (R41).

    None when the account has no room there for pictures: they wait until it has (R44).
    False when no live row names it there, or it was destroyed here meanwhile: a deletion wins (R25).
    """
    if ciphertext is None:
        return False
    held = line.picture_held(name)
    while held is not None and not held.whole:
        part = ciphertext[held.size : held.size + UPLOAD_PART_BYTES]
        try:
            now = line.send_part(name, held.size, part)
        except TurnedAwayError as error:
            if error.reason in {"not_found", "wrong_hash"}:
                return False
            if error.reason == "quota":
                return None
            raise
        if now.size <= held.size and not now.whole:
            # Somebody else's upload of the same picture is under way, or it does not get on: next run.
            return False
        held = now
    return held is not None
