"""Object code kept on disk, so that a kernel is compiled once on a computer.

A file holds a checksum and an object file. It is written under a name of its own and renamed, so that processes may share the
folder and none sees half a file; one whose checksum is wrong is ignored and written again. The folder's name says which version
of the compiler, and which processor, its code is for.

``FLAMBEAU_CACHE_DIR`` is where; empty, nothing is kept. By default ``$XDG_CACHE_HOME/flambeau`` or ``~/.cache/flambeau``.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path

_MAGIC = b"flambeau object 1\n"
#: The names of folders and files that are written here.
_OURS = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}/\.?[a-z_]+_[0-9a-f]{32}(\.\d+)?")
#: More bytes than this and what was used longest ago is deleted.
CAPACITY = 256 << 20


def root() -> Path | None:
    """The folder all caches are in; None where nothing is to be kept."""
    chosen = os.environ.get("FLAMBEAU_CACHE_DIR")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "flambeau"


@lru_cache(1)
def compiler_version() -> str:
    """A digest of the compiler itself: what it is written in, and the LLVM it uses."""
    import llvmlite
    import llvmlite.binding as llvm

    digest = hashlib.sha256(f"{llvmlite.__version__} {llvm.llvm_version_info}".encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class DiskCache:
    """A folder of files by name.

    Attributes:
        folder: where they are; None keeps nothing.
        hits, misses, damaged: how often a name was and was not there, or was but unreadable.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.hits = self.misses = self.damaged = 0
        self._written = 0

    def read(self, name: str) -> bytes | None:
        """What was kept under the name, or None."""
        if self.folder is None:
            return None
        path = self.folder / name
        try:
            content = path.read_bytes()
        except OSError:
            self.misses += 1
            return None
        start = len(_MAGIC) + 32
        if content[: len(_MAGIC)] != _MAGIC or hashlib.sha256(content[start:]).digest() != content[len(_MAGIC) : start]:
            self.damaged += 1
            return None
        self.hits += 1
        try:
            os.utime(path)
        except OSError:
            return content[start:]  # a folder of somebody else's
        return content[start:]

    def write(self, name: str, content: bytes) -> None:
        """Keep ``content``; where that cannot be done, do without."""
        if self.folder is None:
            return
        temporary = self.folder / f".{name}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(content).digest() + content)
            os.replace(temporary, self.folder / name)
        except OSError:
            self.folder = None  # full, or not ours to write
            return
        self._written += len(content)
        if self._written > CAPACITY // 16:
            self._written = 0
            self.prune()

    def prune(self, capacity: int = CAPACITY) -> None:
        """Delete what was used longest ago, of any version and processor, until at most ``capacity`` bytes are left."""
        if self.folder is None:
            return
        files = []
        for path in self.folder.parent.glob("*/*"):
            if not _OURS.fullmatch(f"{path.parent.name}/{path.name}"):
                continue  # somebody else's: the folder may have been chosen for other things too
            try:
                status = path.stat()
            except OSError:  # another process was faster
                continue
            files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= capacity:
                break
            try:
                path.unlink(missing_ok=True)
            except OSError:
                continue
            total -= size


@lru_cache(1)
def disk_cache() -> DiskCache:
    """The cache for this compiler on this processor."""
    from .machine import machine

    base = root()
    if base is None:
        return DiskCache(None)
    processor = hashlib.sha256(f"{machine().triple} {machine().cpu} {machine().features}".encode()).hexdigest()[:16]
    return DiskCache(base / f"{compiler_version()}-{processor}")
