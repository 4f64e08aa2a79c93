"""The CPU."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """The widest vectors the processor has: ``"DEFAULT"``, ``"AVX2"`` or ``"AVX512"``."""
    from ..cpu.capabilities import vector_level

    return vector_level()
