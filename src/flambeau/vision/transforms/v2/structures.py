"""Samples of any structure: their leaves as a list, and the same structure with other leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["leaves", "rebuilt"]


def leaves(sample: Any) -> Iterator[Any]:
    """What is in tuples, lists and dictionaries, in order."""
    if isinstance(sample, Mapping):
        for each in sample.values():
            yield from leaves(each)
    elif isinstance(sample, (tuple, list)):
        for each in sample:
            yield from leaves(each)
    else:
        yield sample


def rebuilt(sample: Any, new: Iterator[Any]) -> Any:
    """A structure like ``sample``'s with the leaves that ``new`` gives.

    >>> rebuilt({"a": (1, [2])}, iter("xy"))
    {'a': ('x', ['y'])}
    """
    if isinstance(sample, Mapping):
        made = {key: rebuilt(each, new) for key, each in sample.items()}
        return made if type(sample) is dict else type(sample)(made)  # type: ignore[call-arg]
    if isinstance(sample, (tuple, list)):
        items = [rebuilt(each, new) for each in sample]
        if hasattr(sample, "_fields"):  # a named tuple
            return type(sample)(*items)
        return items if type(sample) is list else type(sample)(items)
    return next(new)
