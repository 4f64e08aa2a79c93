"""The program cache: from a recording to its program."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import Any

from .log import log
from .program import Program

#: More programs than this and the one used longest ago is dropped.
CAPACITY = 1024
_numbers = count(1)


class ProgramCache:
    """Programs by what was recorded: the entries, which results are still held, and which memory each input has.

    Attributes:
        hits, misses: how often a recording was and was not known.
    """

    def __init__(self) -> None:
        self._programs: OrderedDict[Any, Program] = OrderedDict()
        self.hits = self.misses = 0

    def find(
        self, entries: Sequence[Any], live: tuple[int, ...], inputs: int, donated: tuple[tuple[int, int], ...]
    ) -> Program:
        """The program for a recording of so many inputs, made when it is new."""
        key = (tuple(entries), live, donated)
        program = self._programs.get(key)
        if program is not None:
            self.hits += 1
            self._programs.move_to_end(key)
            return program
        self.misses += 1
        program = self._programs[key] = Program(entries, live, inputs, donated)
        if len(self._programs) > CAPACITY:
            self._programs.popitem(last=False)
        program.number = next(_numbers)
        if log.programs:
            log.say(f"# program {program.number}\n{program}")
        return program

    def clear(self) -> None:
        """Forget every program."""
        self._programs.clear()
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._programs)

    @property
    def programs(self) -> list[Program]:
        """The programs held, the one used last at the end."""
        return list(self._programs.values())


def donations(live: Sequence[int], storages: Sequence[Any], owners: Sequence[Any]) -> tuple[tuple[int, int], ...]:
    """Which results land in memory that is there already: (result, input) pairs, -1 for memory that is no input.

    Only where that input is the sole one on its storage and NumPy does not see it, so that no operand can see the memory
    change.
    """
    updated = [i for i in live if storages[i].array is not None and not storages[i].exposed]
    if not updated:
        return ()
    places: dict[Any, int | None] = dict(zip(owners, range(len(owners))))
    if len(places) + max(owners.count(None) - 1, 0) != len(owners):  # several inputs on one storage
        seen = set()
        for owner in owners:
            if owner in seen:
                places[owner] = None
            seen.add(owner)
    return tuple([(i, place) for i in updated if (place := places.get(storages[i], -1)) is not None])


class _SpokenCache(ProgramCache):
    """Says of each recording whether it was known. A class of its own, so that silence costs nothing."""

    def find(
        self, entries: Sequence[Any], live: tuple[int, ...], inputs: int, donated: tuple[tuple[int, int], ...]
    ) -> Program:
        """The program for a recording of so many inputs, made when it is new."""
        hits = self.hits
        program = super().find(entries, live, inputs, donated)
        known = "hit" if self.hits > hits else f"miss: {len(entries)} calls, {len(program.instructions)} lines"
        log.say(f"flambeau: program {program.number} {known} ({self.hits} hits, {self.misses} misses)")
        return program


cache = _SpokenCache() if log.cache else ProgramCache()
