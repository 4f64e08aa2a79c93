"""Transforms made of others."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from ...nn import Module
from . import drawing_lots

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice", "RandomOrder"]


def _listed(name: str, transforms: Any, *first: str) -> str:
    return "\n".join([f"{name}(", *first, *(f"    {each}" for each in transforms), ")"])


class Compose:
    """One transform after the other.

    >>> import flambeau as torch
    >>> torch.vision.transforms.Compose([abs, float])(-1)
    1.0
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms)


class Lambda:
    """A function as a transform.

    Raises:
        TypeError: not callable.
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RandomApply(Module):
    """All of the transforms with probability ``p``, otherwise none.

    Raises:
        TypeError: ``transforms`` is no sequence.
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        if isinstance(transforms, str) or not hasattr(transforms, "__len__"):
            raise TypeError("Argument transforms should be a sequence of callables")
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        if self.p < drawing_lots.fraction():
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms, f"    p={self.p}")


class _Several:
    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms)


class RandomOrder(_Several):
    """All of the transforms in random order (drawn from Python's ``random``)."""

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for place in order:
            img = self.transforms[place](img)
        return img


class RandomChoice(_Several):
    """One of the transforms (drawn from Python's ``random``).

    Args:
        p: the weights of the transforms; by default equal.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
