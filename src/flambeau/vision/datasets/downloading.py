"""Downloads that may be interrupted: what has come is kept and continued; the file appears whole and checked, or not at all."""

from __future__ import annotations

import os
from typing import Any, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from .archives import extract_archive
from .checksums import check_integrity, check_md5
from .progress import progress_bar

__all__ = ["USER_AGENT", "download_and_extract_archive", "download_url"]

USER_AGENT = "flambeau.vision"
_CHUNK = 1 << 16
_ATTEMPTS = 4
_SECONDS_WITHOUT_A_BYTE = 60

Path = str | os.PathLike[str]


class _Interrupted(Exception):
    """The connection ended before the file did."""


def download_url(
    url: str, root: Path, filename: Path | None = None, md5: str | None = None, max_redirect_hops: int = 3
) -> None:
    """Download ``url`` to ``root/filename`` (by default the URL's last part), unless it is there already and intact.

    A progress bar is shown. The content is gathered in ``filename.partial`` beside it, checked, synced and renamed.
    With a checksum, a partial file that an earlier call left is continued.

    Args:
        md5: the checksum the content must have.
        max_redirect_hops: as for PyTorch's; redirections are followed in any case, to their end.

    Raises:
        urllib.error.URLError: the server cannot be reached, or refuses.
        RuntimeError: the content has another checksum.
    """
    root = os.path.expanduser(root)
    name = os.fspath(filename or os.path.basename(urlparse(url).path))
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if check_integrity(path, md5):
        return
    with _locked(path + ".partial", path, md5) as partial:
        if partial is None:  # another process has just finished it
            return
        _fill(partial, url, md5, name)
        partial.flush()
        os.fsync(partial.fileno())
        os.replace(partial.name, path)


class _locked:
    """The partial file, open for appending and held by this process alone; None once ``path`` is there and intact."""

    def __init__(self, partial: str, path: str, md5: str | None) -> None:
        self.partial, self.path, self.md5 = partial, path, md5

    def __enter__(self) -> BinaryIO | None:
        while True:
            self.file: Any = open(self.partial, "a+b")
            _lock(self.file)
            # Whoever held the lock before may have renamed this very file to its final name.
            if os.path.exists(self.partial) and os.path.samestat(os.fstat(self.file.fileno()), os.stat(self.partial)):
                break
            self.file.close()
            if check_integrity(self.path, self.md5):
                return None
        return self.file

    def __exit__(self, *exception: Any) -> None:
        if self.file.closed:
            return
        if exception[0] is not None and self.file.seek(0, os.SEEK_END) == 0 and os.path.exists(self.partial):
            os.unlink(self.partial)  # nothing came that would be worth keeping
        self.file.close()


def _lock(file: BinaryIO) -> None:
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        return
    fcntl.flock(file, fcntl.LOCK_EX)


def _fill(partial: BinaryIO, url: str, md5: str | None, name: str) -> None:
    """Append what is missing; start over once if what an earlier call left turns out to belong to another file."""
    inherited = partial.seek(0, os.SEEK_END) > 0
    if inherited and md5 is None:  # nothing would tell whether the pieces fit together
        partial.truncate(0)
        inherited = False
    _fetch(partial, url, name)
    if md5 is None or check_md5(partial.name, md5):
        return
    if inherited:
        partial.truncate(0)
        _fetch(partial, url, name)
        if check_md5(partial.name, md5):
            return
    os.unlink(partial.name)
    raise RuntimeError(f"File not found or corrupted: what {url} holds does not have the checksum {md5} of {name}")


def _fetch(partial: BinaryIO, url: str, name: str) -> None:
    tag = None
    for attempt in range(_ATTEMPTS):
        try:
            tag = _continue(partial, url, name, tag)
            return
        except (_Interrupted, ConnectionError, TimeoutError) as error:
            if attempt == _ATTEMPTS - 1:
                raise URLError(f"the connection to {urlparse(url).netloc} broke {_ATTEMPTS} times: {error}") from error


def _continue(partial: BinaryIO, url: str, name: str, tag: str | None) -> str | None:
    """One connection, from where the partial file ends. The server's tag for the content."""
    partial.flush()
    start = partial.seek(0, os.SEEK_END)
    headers = {"User-Agent": USER_AGENT}
    if start:
        headers["Range"] = f"bytes={start}-"
        if tag:
            headers["If-Range"] = tag
    try:
        source = urlopen(Request(url, headers=headers), timeout=_SECONDS_WITHOUT_A_BYTE)
    except HTTPError as error:
        if error.code != 416 or not start:
            raise
        # There is nothing after `start`: it is complete, or longer than the file. The checksum tells.
        return tag
    with source:
        if start and source.status != 206:  # the whole file again
            partial.truncate(0)
            start = 0
        length = source.headers.get("Content-Length")
        total = start + int(length) if length else None
        done = start
        with progress_bar(total, start, name) as bar:
            while chunk := source.read(_CHUNK):
                partial.write(chunk)
                done += len(chunk)
                bar.update(len(chunk))
        partial.flush()
        if total is not None and done < total:
            raise _Interrupted(f"{done} of {total} bytes came")
        found = source.headers.get("ETag")
        return found if found and not found.startswith("W/") else None


def download_and_extract_archive(
    url: str,
    download_root: Path,
    extract_root: Path | None = None,
    filename: Path | None = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """``download_url`` to ``download_root``, then ``extract_archive`` to ``extract_root`` (by default there, too)."""
    download_root = os.path.expanduser(download_root)
    name = filename or os.path.basename(urlparse(url).path)
    download_url(url, download_root, name, md5)
    extract_archive(os.path.join(download_root, name), extract_root or download_root, remove_finished)
