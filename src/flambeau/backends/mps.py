"""Apple's Metal devices."""

from __future__ import annotations


def is_built() -> bool:
    """Whether Metal is supported: no."""
    return False


def is_available() -> bool:
    """Whether a Metal device can be used: no."""
    return False


def is_macos_or_newer(major: int, minor: int) -> bool:
    """Whether macOS is at least this version. Raises RuntimeError: Metal is not supported."""
    raise RuntimeError("Cannot execute isOnMacOSorNewer() without MPS backend.")


def is_macos13_or_newer(minor: int = 0) -> bool:
    """Whether macOS is at least version 13. Raises RuntimeError: Metal is not supported."""
    return is_macos_or_newer(13, minor)
