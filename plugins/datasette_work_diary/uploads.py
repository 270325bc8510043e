"""A form with files, read into memory: nothing of it may lie on the disk as it was sent (R52).

Browsers send it as multipart/form-data (RFC 7578). What is too large is refused while it comes.
"""

import hmac
from dataclasses import dataclass, field
from typing import Any

from datasette.utils.asgi import BadRequest, Forbidden
from multipart import MultipartError, PushMultipartParser, parse_options_header

from diary.messaging import NewFile
from diary.rules.message import FILE_BYTES_MAX, FILES_MAX

BODY_BYTES_MAX = FILES_MAX * FILE_BYTES_MAX // 2 + 256 * 1024  # half of what a message may bring, in one go
PARTS_MAX = FILES_MAX + 8  # more than a message takes is for the diary to refuse by its name


@dataclass(slots=True)
class Uploaded:
    """What was sent: texts by their field, and files in their order."""

    texts: dict[str, str] = field(default_factory=dict)
    files: list[NewFile] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return a field's text, its line ends as the diary keeps them, "" where it is missing."""
        return self.texts.get(name, "").replace("\r\n", "\n")


async def uploaded(request: Any) -> Uploaded:
    """Return what a form sent, its token checked: it is skipped for addresses that take files (`hooks`).

    Raises:
        BadRequest: It is no such form, or larger than any page of ours sends.
        Forbidden: It bears no token, or another than this browser was given.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if request.method != "POST" or kind != "multipart/form-data" or not options.get("boundary"):
        raise BadRequest("This address takes forms with files only.")
    found = Uploaded()
    parser = PushMultipartParser(options["boundary"], max_segment_count=PARTS_MAX)
    size, more = 0, True
    part: Any = None
    content = bytearray()
    try:
        while more and not parser.closed:
            message = await request.receive()
            more = message.get("more_body", False)
            size += len(message.get("body", b""))
            if size > BODY_BYTES_MAX:
                raise BadRequest(f"At most {BODY_BYTES_MAX // 1_000_000} MB at once.")
            for event in parser.parse(message.get("body", b"")) if message.get("body") else ():
                if event is None:
                    _keep(found, part, bytes(content))
                elif isinstance(event, (bytes, bytearray)):
                    content += event
                else:
                    part, content = event, bytearray()
        parser.close()
    except (MultipartError, UnicodeError) as error:
        raise BadRequest("The form cannot be read.") from error
    if not hmac.compare_digest(found.text("csrftoken"), str(request.scope["csrftoken"]())):
        raise Forbidden("The form is not from a page of this diary.")
    return found


def _keep(found: Uploaded, part: Any, content: bytes) -> None:
    if part.filename is None:
        found.texts[part.name] = content.decode()
    elif part.filename or content:  # a field of files that was left empty is sent as one without a name
        found.files.append(NewFile(part.filename, part.content_type or "application/octet-stream", content))
