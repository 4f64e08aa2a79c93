"""Process-wide settings of saving and loading."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class LoadEndianness(enum.Enum):
    """The byte order to assume of files that do not say theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class _Settings:
    endianness: LoadEndianness | None = None
    checksums: bool = True
    mmap_flags: int | None = None
    skip_data: bool = False


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order assumed of files that do not say theirs; None stands for little."""
    return _Settings.endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order assumed of files that do not say theirs.

    Raises:
        TypeError: not a :class:`LoadEndianness` or None.
    """
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError(
            "Invalid argument type in function set_default_load_endianness: expected a LoadEndianness or None, got "
            f"{type(endianness).__name__}"
        )
    _Settings.endianness = endianness


def assumed_byteorder() -> str:
    """``"little"`` or ``"big"``: the order of bytes in a file that does not say."""
    if _Settings.endianness is LoadEndianness.NATIVE:
        return sys.byteorder
    return "big" if _Settings.endianness is LoadEndianness.BIG else "little"


def get_crc32_options() -> bool:
    """Whether ``save`` computes checksums and ``load`` verifies them."""
    return _Settings.checksums


def set_crc32_options(compute_crc32: bool) -> None:
    """Set whether ``save`` computes a CRC-32 for each record, and whether ``load`` verifies those it finds."""
    _Settings.checksums = bool(compute_crc32)


def get_default_mmap_options() -> int:
    """The flags with which ``load(mmap=True)`` maps a file: ``mmap.MAP_PRIVATE`` unless set."""
    import mmap

    return mmap.MAP_PRIVATE if _Settings.mmap_flags is None else _Settings.mmap_flags


class set_default_mmap_options:
    """Set the flags with which ``load(mmap=True)`` maps a file, for good or for a ``with`` block.

    With ``mmap.MAP_PRIVATE`` writes to loaded tensors stay in memory, with ``mmap.MAP_SHARED`` they reach the file.

    Raises:
        ValueError: other flags.
    """

    def __init__(self, flags: int) -> None:
        import mmap

        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, "
                f"but got {flags}"
            )
        self._before = _Settings.mmap_flags
        _Settings.mmap_flags = flags

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: Any) -> None:
        _Settings.mmap_flags = self._before


@contextmanager
def skip_data(materialize_fake_tensors: bool = False) -> Iterator[None]:
    """Save and load without the bytes of storages: ``save`` leaves room for them, ``load`` leaves zeros."""
    before = _Settings.skip_data
    _Settings.skip_data = True
    try:
        yield
    finally:
        _Settings.skip_data = before


def skips_data() -> bool:
    """Whether a :func:`skip_data` block is active."""
    return _Settings.skip_data
