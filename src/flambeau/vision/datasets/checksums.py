"""Whether a file is the one it should be: MD5, which is what publishers of data sets give. It guards against damage only."""

from __future__ import annotations

import hashlib
import os
from typing import Any

__all__ = ["calculate_md5", "check_integrity", "check_md5"]

Path = str | os.PathLike[str]


def calculate_md5(fpath: Path, chunk_size: int = 1024 * 1024) -> str:
    """The MD5 of a file's content, in hexadecimal digits."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(fpath, "rb") as file:
        while chunk := file.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest()


def check_md5(fpath: Path, md5: str, **kwargs: Any) -> bool:
    """Whether a file has this MD5."""
    return md5 == calculate_md5(fpath, **kwargs)


def check_integrity(fpath: Path, md5: str | None = None) -> bool:
    """Whether there is such a file and, where ``md5`` is given, it has that MD5.

    >>> check_integrity("no such file")
    False
    """
    return os.path.isfile(fpath) and (md5 is None or check_md5(fpath, md5))
