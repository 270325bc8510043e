"""The container of a bundle: a zip that is one function of the files in it (R59).

Files are stored, in the order of the manifest, with no dates, attributes or comments, so that every byte of
the container is either a file's or follows from them: whoever reads it can tell each byte that was changed.
Any program that opens zips opens it (APPNOTE.TXT 6.3.10). Pure: bytes in, files or a named fault out.
"""

import re
import struct
import zlib
from collections.abc import Mapping

from diary.errors import PeerError

CONTAINER_BYTES_MAX = 1 << 30  # a thousand pictures of a megabyte; over it zips need another form
FILE_BYTES_MAX = 64 << 20
FILES_MAX = 10_000
NAME_CHARACTERS_MAX = 100

_NAME = re.compile(r"(?:pictures/)?[A-Za-z0-9][A-Za-z0-9_-]*\.[a-z]{2,5}")
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION = 20  # what folders need; nothing newer is used
_FIRST_DAY = 0x21  # 1 January 1980, the first that a zip knows
_LOCAL_REST = struct.Struct("<5H3L2H")
_CENTRAL_REST = struct.Struct("<6H3L5H2L")
_END_REST = struct.Struct("<4H2LH")


class ContainerError(PeerError):
    """A file is no bundle as one is written; `where` names the first place that differs (R59)."""

    says = "{where}: {because}."
    mend = "Ask for the file anew, and for it as it was made: not unpacked, not packed again."

    def __init__(self, where: str, because: str) -> None:
        self.where = where
        self.because = because
        super().__init__(where=where, because=because)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return the container of these files, in their order.

    Raises:
        ContainerError: A name, a size or their number is over what a bundle may have.
    """
    parts: list[bytes] = []
    central: list[bytes] = []
    at = 0
    if len(files) > FILES_MAX:
        raise ContainerError("the bundle", f"it would have over {FILES_MAX} files")
    for name, content in files.items():
        _check_name(name)
        if len(content) > FILE_BYTES_MAX:
            raise ContainerError(name, f"it is longer than {FILE_BYTES_MAX} bytes")
        local = _local(name, content)
        parts += (local, content)
        central.append(_central(name, content, at))
        at += len(local) + len(content)
    directory = b"".join(central)
    whole = b"".join((*parts, directory, _end(len(files), len(directory), at)))
    if len(whole) > CONTAINER_BYTES_MAX:
        raise ContainerError("the bundle", f"it would be longer than {CONTAINER_BYTES_MAX} bytes")
    return whole


def unpacked(whole: bytes) -> dict[str, bytes]:
    """Return the files of a container, once every byte of it is as `packed` writes it.

    Raises:
        ContainerError: It was changed, cut or made otherwise; named is the first place that differs.
    """
    if len(whole) > CONTAINER_BYTES_MAX:
        raise ContainerError("the bundle", f"it is longer than {CONTAINER_BYTES_MAX} bytes")
    files: dict[str, bytes] = {}
    central: list[bytes] = []
    at = 0
    while whole[at : at + 4] == _LOCAL:
        if len(files) == FILES_MAX:
            raise ContainerError("the bundle", f"it has over {FILES_MAX} files")
        name, content, end = _file_at(whole, at)
        if name in files:
            raise ContainerError(name, "the file is there twice")
        files[name] = content
        central.append(_central(name, content, at))
        at = end
    if not files:
        raise ContainerError("the file", "it is no bundle" if whole else "it is empty")
    directory = b"".join(central)
    rest = directory + _end(len(files), len(directory), at)
    if whole[at:] != rest:
        differs = next(
            (
                place
                for place, (is_, should) in enumerate(zip(whole[at:], rest, strict=False))
                if is_ != should
            ),
            min(len(whole) - at, len(rest)),
        )
        raise ContainerError(f"byte {at + differs}, in the zip's list of files", "it was changed or cut")
    return files


def _file_at(whole: bytes, at: int) -> tuple[str, bytes, int]:
    """Return name and content of the file that begins here, and where the next one does."""
    head_end = at + 4 + _LOCAL_REST.size
    if head_end > len(whole):
        raise ContainerError(f"byte {at}", "the file ends in the middle")
    fields = _LOCAL_REST.unpack(whole[at + 4 : head_end])
    *_, size, _, name_size, _ = fields
    raw_name = whole[head_end : head_end + name_size]
    where = f"byte {at}, before a file"
    if name_size > NAME_CHARACTERS_MAX:
        raise ContainerError(where, "a file's name is too long")
    try:
        name = raw_name.decode("ascii")
    except UnicodeDecodeError as error:
        raise ContainerError(where, "a file's name was changed") from error
    _check_name(name)
    if size > FILE_BYTES_MAX:
        raise ContainerError(name, f"it is longer than {FILE_BYTES_MAX} bytes")
    begins = head_end + name_size
    content = whole[begins : begins + size]
    if len(content) < size:
        raise ContainerError(name, "the file is cut short")
    if whole[at:begins] != _local(name, content):
        raise ContainerError(name, _why_differs(fields, content))
    return name, content, begins + size


def _why_differs(fields: tuple[int, ...], content: bytes) -> str:
    """Return what a file's beginning says against it: who unpacks and packs anew is not called a forger."""
    _, flags, method, _, day, checksum, *_ = fields
    if method or flags or day != _FIRST_DAY:
        return "it is packed otherwise than bundles are: another program packed it anew, or it was changed"
    if zlib.crc32(content) != checksum:
        return "its content was changed"
    return "what stands before it in the zip was changed"


def _check_name(name: str) -> None:
    if len(name) > NAME_CHARACTERS_MAX or _NAME.fullmatch(name) is None:
        raise ContainerError(repr(name), "no file of a bundle has such a name")


def _local(name: str, content: bytes) -> bytes:
    size = len(content)
    rest = _LOCAL_REST.pack(_VERSION, 0, 0, 0, _FIRST_DAY, zlib.crc32(content), size, size, len(name), 0)
    return _LOCAL + rest + name.encode("ascii")


def _central(name: str, content: bytes, at: int) -> bytes:
    size = len(content)
    rest = _CENTRAL_REST.pack(
        _VERSION, _VERSION, 0, 0, 0, _FIRST_DAY, zlib.crc32(content), size, size, len(name), 0, 0, 0, 0, 0, at
    )
    return _CENTRAL + rest + name.encode("ascii")


def _end(count: int, size: int, at: int) -> bytes:
    return _END + _END_REST.pack(0, 0, count, count, size, at, 0)
