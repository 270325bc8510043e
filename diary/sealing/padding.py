"""Padding that hides a length: 0x80, then zeros up to a multiple of the block (ISO/IEC 7816-4, R46)."""

CONTENT_BLOCK_BYTES = 256
PICTURE_BLOCK_BYTES = 4096
_MARK = b"\x80"


def pad(plain: bytes, block_bytes: int) -> bytes:
    """Return `plain` with its mark and zeros: at least one byte more, at most `block_bytes`."""
    return plain + _MARK + bytes(-(len(plain) + 1) % block_bytes)


def unpad(padded: bytes, block_bytes: int) -> bytes | None:
    """Return what was padded, or None where this is not the one padding that `pad` would have given."""
    marked = padded.rstrip(b"\x00")
    is_shortest = len(padded) - len(marked) < block_bytes
    if len(padded) % block_bytes or not is_shortest or not marked.endswith(_MARK):
        return None
    return marked[:-1]
