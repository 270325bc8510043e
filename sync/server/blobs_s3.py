"""`Blobs` in an S3-compatible bucket, through obstore: the one file that imports it (R25, R41, R69).

`ACCOUNT/NAME/whole` is a picture, `ACCOUNT/NAME/part-OFFSET` a piece of an unfinished upload, so that one
listing tells all about a picture. Every object is written by one request, which S3 carries out whole or not
at all and durably. No server process remembers anything about an upload: how far it came is read from the
listing each time, as the chain of parts from byte 0 on. Multipart uploads of S3 itself would not do: their
parts are 5 MiB at least, and what is left of a broken one lies there unseen.

What an object store answers may name keys and hosts: it is never passed on, logged or shown. Only its error's
code word is.
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from diary.errors import UsageError
from diary.rules.ids import AccountId, Millis
from sync.server.blobs import (
    ACCOUNT_NAME,
    PICTURE_NAME,
    Blob,
    Elsewhere,
    Finished,
    Found,
    Upload,
    Whole,
    WrongHash,
    require_names,
)
from sync.server.faults import BusyError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

REQUEST_SECONDS = 30  # a picture of 32 MiB at 9 Mbit/s; a device waits longer than that
CONNECT_SECONDS = 5
RETRY_SECONDS = 10  # then the device is told to come again, which it does anyway
RETRIES = 3
AT_ONCE = 16  # requests to the store while many pictures are removed
LISTED_AT_ONCE = 1000  # what S3 lists and deletes in one request
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_ENDPOINT_URL_S3")

_WHOLE = "whole"
_PART = re.compile(r"part-(\d{8})")
_PROBE = "probe"
_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_ROLE = re.compile(r"/latest/(api/token|meta-data)")  # where a machine without keys asks for its role's
_PASSING = frozenset({408, 429})  # too slow, too many: not for good
_BEHIND_ALL = "~"  # sorts after every object of a picture

_log = structlog.get_logger("workdiary.server")


class BadPicturesUrlError(UsageError):
    """The address of the bucket is none; it may hold a key, so it is not repeated."""

    says = "The place for pictures is no bucket's address ({why})."
    mend = (
        "It looks like s3://bucket or s3://bucket/folder. Keys and the store's own address come from the "
        "environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL."
    )


class NoKeysError(UsageError):
    """There are no keys for the bucket, or only half of them."""

    says = "There are no keys for the bucket {bucket}, or only one of the two."
    mend = (
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the server's environment, or give the machine "
        "that it runs on a role that may use the bucket."
    )


class PlainLineError(UsageError):
    """The store's address is an http:// one, which is taken only when that is meant."""

    says = "The address in {variable} begins with http://, so what goes there can be read on the way."
    mend = (
        "Use https://, or set AWS_ALLOW_HTTP=true where the store is on this machine or a line of your own."
    )


class BucketRefusedError(UsageError):
    """The store refuses the bucket to these keys, or has no such bucket."""

    says = "The object store does not let the server use the bucket {bucket} ({code})."
    mend = (
        "NoSuchBucket: make it, or look at AWS_REGION and AWS_ENDPOINT_URL. RequestTimeTooSkewed: set this "
        "machine's clock. Else the keys are wrong (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), or may not "
        "list, get, put and delete objects there."
    )


@dataclass(frozen=True, slots=True)
class _Listed:
    """What lies there of one picture: its objects, and the offsets of the parts that follow each other."""

    objects: tuple[str, ...]
    chain: tuple[int, ...]
    upload: Upload


class S3Blobs:
    """`Blobs` in a bucket, as `s3://bucket/folder`; keys and endpoint come from the environment.

    Raises:
        UsageError: There is no such bucket, or it is closed to these keys. A store that does not answer at
            all is waited for: rows are taken meanwhile.
    """

    def __init__(self, url: str) -> None:
        bucket, folder = _parsed(url)
        self._store = _opened(bucket, folder)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3")
        self._look(bucket)

    def upload(self, account: AccountId, name: str) -> Upload:
        """See `Blobs.upload`."""
        return self._listed(account, name).upload

    def append(self, account: AccountId, name: str, offset: int, part: bytes) -> int:
        """See `Blobs.append`."""
        held = self._listed(account, name).upload.size
        if held != offset or not part:
            return held
        self._put(_part_at(account, name, offset), part)
        return offset + len(part)

    def finish(self, account: AccountId, name: str, offset: int, last: bytes) -> Finished:
        """See `Blobs.finish`."""
        require_names(account, name)
        objects: tuple[str, ...] = ()
        content = last
        if offset:
            listed = self._listed(account, name)
            if listed.upload.whole:
                return Whole()
            if offset != listed.upload.size:
                return Elsewhere(listed.upload.size)
            objects = listed.objects
            try:
                parts = self._pool.map(self._get, [_part_at(account, name, at) for at in listed.chain])
                content = b"".join((*parts, last))
            except FileNotFoundError:  # another finished it meanwhile, or it was deleted
                return Elsewhere(self.upload(account, name).size)
        if hashlib.sha256(content).hexdigest() != name:
            self.drop_parts([(account, name)])
            return WrongHash()
        self._put(f"{account}/{name}/{_WHOLE}", content)
        self._delete(objects)
        return Whole()

    def read(self, account: AccountId, name: str, start: int, size: int) -> bytes:
        """See `Blobs.read`."""
        require_names(account, name)
        if not size:
            return b""
        with _busy_if_it_fails():
            return bytes(
                obstore.get_range(self._store, f"{account}/{name}/{_WHOLE}", start=start, length=size)
            )

    def remove(self, blobs: Collection[Blob]) -> None:
        """See `Blobs.remove`."""
        found = self._pool.map(lambda blob: self._listed(*blob).objects, blobs)
        self._delete([path for objects in found for path in objects])

    def drop_parts(self, blobs: Collection[Blob]) -> None:
        """See `Blobs.drop_parts`."""
        found = self._pool.map(lambda blob: self._listed(*blob).objects, blobs)
        self._delete([path for objects in found for path in objects if not path.endswith(_WHOLE)])

    def listed(self, after: str) -> Iterator[Found]:
        """See `Blobs.listed`."""
        offset = f"{after}/{_BEHIND_ALL}" if after else None
        with _busy_if_it_fails():
            for chunk in obstore.list(self._store, offset=offset, chunk_size=LISTED_AT_ONCE):
                for item in chunk:
                    account, _, rest = item["path"].partition("/")
                    name, _, what = rest.partition("/")
                    if ACCOUNT_NAME.fullmatch(account) and PICTURE_NAME.fullmatch(name):
                        written_ms = Millis(int(item["last_modified"].timestamp() * 1000))
                        yield Found(AccountId(account), name, written_ms, what != _WHOLE)

    def close(self) -> None:
        """See `Blobs.close`."""
        self._pool.shutdown(cancel_futures=True)

    def _listed(self, account: AccountId, name: str) -> _Listed:
        require_names(account, name)
        folder = f"{account}/{name}"
        with _busy_if_it_fails():
            found = [item for chunk in obstore.list(self._store, folder) for item in chunk]
        sizes: dict[int, int] = {}
        whole: int | None = None
        for item in found:
            what = item["path"].rpartition("/")[2]
            part = _PART.fullmatch(what)
            if part is not None and item["size"]:
                sizes[int(part[1])] = item["size"]
            elif what == _WHOLE:
                whole = item["size"]
        chain: list[int] = []
        size = 0
        while size in sizes:  # parts that others overtook stand beside the chain, and go with it
            chain.append(size)
            size += sizes[size]
        upload = Upload(size, whole=False) if whole is None else Upload(whole, whole=True)
        return _Listed(tuple(item["path"] for item in found), tuple(chain), upload)

    def _get(self, path: str) -> bytes:
        with _busy_if_it_fails():
            return bytes(obstore.get(self._store, path).bytes())

    def _put(self, path: str, content: bytes) -> None:
        with _busy_if_it_fails(missing="NoSuchBucket"):
            obstore.put(self._store, path, content, use_multipart=False)

    def _delete(self, paths: Collection[str]) -> None:
        if paths:
            with _busy_if_it_fails(missing="NoSuchBucket"):
                obstore.delete(self._store, list(paths))

    def _look(self, bucket: str) -> None:
        """Try what the server will do: list, put and delete; say whether deleting destroys there (R25)."""
        try:
            next(iter(obstore.list(self._store, chunk_size=1)), None)
            kept = obstore.put(self._store, _PROBE, b"", use_multipart=False)
            obstore.delete(self._store, [_PROBE])
        except (BaseError, OSError) as error:
            if _ROLE.search(str(error)):
                raise NoKeysError(bucket=bucket) from None
            code, refused = _code(error)
            if refused:
                raise BucketRefusedError(bucket=bucket, code=code) from None
            _log.warning("the object store does not answer: rows are taken, pictures wait", code=code)
            return
        if kept["version"] not in {None, "null"}:
            _log.warning(
                "the bucket keeps versions: what is deleted stays there until they expire", bucket=bucket
            )


def _parsed(url: str) -> tuple[str, str | None]:
    """Return bucket and folder of `s3://bucket/folder`."""
    parts = urlsplit(url)
    if parts.scheme != "s3":
        raise BadPicturesUrlError(why="it does not begin with s3://")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise BadPicturesUrlError(why="it holds more than bucket and folder")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}", parts.netloc):
        raise BadPicturesUrlError(why="it names no bucket")
    return parts.netloc, parts.path.strip("/") or None


def _opened(bucket: str, folder: str | None) -> S3Store:
    allow_http = os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"true", "1"}
    for variable in ENDPOINT_VARIABLES:
        if os.environ.get(variable, "").startswith("http://") and not allow_http:
            raise PlainLineError(variable=variable)
    client: ClientConfig = {
        "timeout": timedelta(seconds=REQUEST_SECONDS),
        "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
        "allow_http": allow_http,
    }
    retry: RetryConfig = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)}
    try:
        return S3Store(bucket, prefix=folder, client_options=client, retry_config=retry)
    except BaseError:
        raise NoKeysError(bucket=bucket) from None


@contextmanager
def _busy_if_it_fails(missing: str | None = None) -> Iterator[None]:
    """Turn the store's failures into a fault that is answered, without the store's own words.

    `missing` is the code of a FileNotFoundError where none can be meant for an object.
    """
    try:
        yield
    except FileNotFoundError:
        if missing is None:
            raise
        raise _busy(missing) from None
    except (BaseError, OSError) as error:
        raise _busy(_code(error)[0]) from None


def _busy(code: str) -> BusyError:
    _log.warning("the object store failed", code=code)
    return BusyError(what="the place for pictures cannot be reached")


def _code(error: Exception) -> tuple[str, bool]:
    """Return the code word of a store's failure, and whether the store refuses for good."""
    text = str(error)
    word, status = _CODE.search(text), _STATUS.search(text)
    if word or status:
        number = int(status[1]) if status else 400
        return word[1] if word else f"status {number}", 400 <= number < 500 and number not in _PASSING
    return type(error).__name__, False


def _part_at(account: AccountId, name: str, offset: int) -> str:
    return f"{account}/{name}/part-{offset:08d}"
