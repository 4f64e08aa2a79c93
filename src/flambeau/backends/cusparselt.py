"""NVIDIA's cuSPARSELt."""

from __future__ import annotations


def is_available() -> bool:
    """Whether cuSPARSELt is used: no."""
    return False


def version() -> int | None:
    """Its version: None."""
    return None


def get_max_alg_id() -> int | None:
    """The number of its algorithms: None."""
    return None
