"""``rearrange``: dimensions by name (the notation of einops; Rogozhnikov, 2022)."""

from __future__ import annotations

from typing import Any

from ..operators.declaration import functions

__all__ = ["rearrange"]


def _parse(side: str, pattern: str) -> list[list[str]]:
    """The groups of names on one side; "..." is a name."""
    groups: list[list[str]] = []
    inside = False
    for word in side.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            if inside:
                raise ValueError(f"Brackets are nested in pattern '{pattern}'")
            inside = True
            groups.append([])
        elif word == ")":
            if not inside:
                raise ValueError(f"Brackets are not balanced in pattern '{pattern}'")
            inside = False
        else:
            if word != "..." and word != "1" and not word.isidentifier():
                raise ValueError(f"Invalid axis identifier: {word}")
            if inside:
                groups[-1].append(word)
            else:
                groups.append([] if word == "1" else [word])
    if inside:
        raise ValueError(f"Brackets are not balanced in pattern '{pattern}'")
    return groups


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Permute, split and join dimensions: names left of "->" are what ``tensor`` has, brackets are joined ones.

    >>> import flambeau as torch
    >>> torch.func.rearrange(torch.zeros(2, 3, 4), "a b c -> c (a b)").shape
    torch.Size([4, 6])
    """
    if isinstance(tensor, (list, tuple)):
        tensor = functions["stack"](list(tensor))
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"Pattern must contain exactly one '->' separator: {pattern}")
    left, right = (_parse(side, pattern) for side in sides)
    rank = tensor.dim()
    if ["..."] in left:
        place = left.index(["..."])
        extra = [f"…{k}" for k in range(rank - len(left) + 1)]
        left[place : place + 1] = [[name] for name in extra]
        right = [
            group if group == ["..."] else [inner for name in group for inner in (extra if name == "..." else [name])]
            for group in right
        ]
        if ["..."] in right:
            place = right.index(["..."])
            right[place : place + 1] = [[name] for name in extra]
    if len(left) != rank:
        raise ValueError(f"Number of dimensions in pattern ({len(left)}) and tensor ({rank}) must be equal")
    names = [name for group in left for name in group]
    wanted = [name for group in right for name in group]
    if sorted(names) != sorted(wanted) or len(set(names)) != len(names):
        raise ValueError(f"Identifiers only on one side of expression (should be on both): {set(names) ^ set(wanted)}")
    sizes: dict[str, int] = dict(axes_lengths)
    for group, size in zip(left, tensor.shape):
        known = 1
        unknown = [name for name in group if name not in sizes]
        for name in group:
            known *= sizes.get(name, 1)
        if len(unknown) > 1:
            raise ValueError(f"Could not infer sizes for {set(unknown)}")
        if unknown:
            sizes[unknown[0]] = size // known if known else 0
            known *= sizes[unknown[0]]
        if known != size:
            raise ValueError(f"Shape mismatch, can't divide axis of length {size} in chunks of {known}")
    split = tensor.reshape([sizes[name] for name in names])
    turned = split.permute([names.index(name) for name in wanted]) if names else split
    shape = []
    for group in right:
        size = 1
        for name in group:
            size *= sizes[name]
        shape.append(size)
    return turned.reshape(shape)
