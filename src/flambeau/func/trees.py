"""Nested tuples, lists and dicts: their leaves and their structure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any


class Structure:
    """How leaves are nested. Prints like PyTorch's TreeSpec."""

    def __init__(self, kind: Any, context: Any, parts: list[Structure]) -> None:
        self.kind, self.context, self.parts = kind, context, parts

    @property
    def count(self) -> int:
        """How many leaves there are."""
        return 1 if self.kind is None else sum(part.count for part in self.parts)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Structure)
            and self.kind is other.kind and self.context == other.context and self.parts == other.parts
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.kind, len(self.parts)))

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        parts = ",\n  ".join(map(repr, self.parts))
        return f"TreeSpec({self.kind.__name__}, {self.context}, [{parts}])"


LEAF = Structure(None, None, [])


def children(tree: Any) -> tuple[Any, Any, list[Any]] | None:
    """(kind, context, children) of a node; None for a leaf."""
    kind = type(tree)
    if kind in (dict, OrderedDict):
        return kind, list(tree), list(tree.values())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return kind, kind, list(tree)
    if kind in (tuple, list):
        return kind, None, list(tree)
    return None


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves, and the structure."""
    found = children(tree)
    if found is None:
        return [tree], LEAF
    leaves: list[Any] = []
    parts = []
    for each in found[2]:
        inner, part = flatten(each)
        leaves.extend(inner)
        parts.append(part)
    return leaves, Structure(found[0], found[1], parts)


def unflatten(leaves: Any, structure: Structure) -> Any:
    """The tree with these leaves."""
    return _build(iter(leaves), structure)


def _build(leaves: Iterator[Any], structure: Structure) -> Any:
    if structure.kind is None:
        return next(leaves)
    parts = [_build(leaves, part) for part in structure.parts]
    if structure.kind in (dict, OrderedDict):
        return structure.kind(zip(structure.context, parts))
    if structure.kind in (tuple, list):
        return structure.kind(parts)
    made = structure.kind
    return made(*parts) if hasattr(made, "_make") else made(parts)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with ``function`` applied to every leaf."""
    leaves, structure = flatten(tree)
    return unflatten([function(each) for each in leaves], structure)


def spread(prefix: Any, structure: Structure, single: tuple[type, ...]) -> list[Any] | None:
    """``prefix``, a tree that may end earlier than ``structure``, as one item a leaf; None where they do not fit."""
    if structure.kind is None:
        return [prefix] if prefix is None or isinstance(prefix, single) else None
    if prefix is None or isinstance(prefix, single):
        return [prefix] * structure.count
    found = children(prefix)
    if found is None or found[0] is not structure.kind or found[1] != structure.context or len(found[2]) != len(structure.parts):
        return None
    items: list[Any] = []
    for each, part in zip(found[2], structure.parts):
        inner = spread(each, part, single)
        if inner is None:
            return None
        items.extend(inner)
    return items
