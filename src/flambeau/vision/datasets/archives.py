"""Unpacking: tar and zip archives, and single compressed files."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

__all__ = ["extract_archive"]

Path = str | os.PathLike[str]

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz")


def extract_archive(from_path: Path, to_path: Path | None = None, remove_finished: bool = False) -> str:
    """Unpack an archive, or decompress a file, into ``to_path`` (by default beside it); what its name ends in decides.

    Members that would land outside of ``to_path`` are refused. A decompressed file appears whole or not at all.

    Returns:
        the folder, or the decompressed file.

    Raises:
        RuntimeError: neither an archive nor a compressed file by its name.
    """
    source = os.path.expanduser(from_path)
    folder = os.path.dirname(source) if to_path is None else os.path.expanduser(to_path)
    name = os.path.basename(source)
    result = folder
    if name.endswith(_TAR):
        with tarfile.open(source) as tar:
            tar.extractall(folder, filter="data")
    elif name.endswith(".zip"):
        with zipfile.ZipFile(source) as archive:
            archive.extractall(folder)
    else:
        stem, suffix = os.path.splitext(name)
        if suffix not in _OPENERS:
            known = ", ".join(sorted({*_TAR, ".zip", *_OPENERS}))
            raise RuntimeError(f"Unknown archive type of '{name}'. Known are files that end in {known}")
        result = os.path.join(folder, stem) if to_path is None or os.path.isdir(folder) else folder
        _decompress(source, result, _OPENERS[suffix])
    if remove_finished:
        os.remove(source)
    return result


def _decompress(source: str, result: str, opener: Callable[..., Any]) -> None:
    partial = result + ".partial"
    with opener(source, "rb") as packed, open(partial, "wb") as file:
        shutil.copyfileobj(packed, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, result)
