"""The memory plan: offsets in one arena for the values that live only while a program runs, from when each is needed."""

from __future__ import annotations

ALIGNMENT = 64


def plan(sizes: dict[int, int], first: dict[int, int], last: dict[int, int]) -> tuple[dict[int, int], int]:
    """Offsets for values of ``sizes`` bytes that live from step ``first`` to step ``last``, and the bytes of the arena.

    The largest are placed first, each in the lowest gap that is free during its life (Pisarchyk and Lee, "Efficient memory
    management for deep neural net inference", 2020).
    """
    placed: list[tuple[int, int, int, int]] = []  # offset, end, first, last
    offsets: dict[int, int] = {}
    total = 0
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        size = -(-max(sizes[name], 1) // ALIGNMENT) * ALIGNMENT
        at = 0
        for offset, end, begins, ends in placed:  # kept in order of offset
            if begins > last[name] or ends < first[name]:
                continue
            if offset - at >= size:
                break
            at = max(at, end)
        offsets[name] = at
        total = max(total, at + size)
        _insert(placed, (at, at + size, first[name], last[name]))
    return offsets, total


def _insert(placed: list[tuple[int, int, int, int]], block: tuple[int, int, int, int]) -> None:
    from bisect import insort

    insort(placed, block)
