"""Transforms made of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ....nn import ModuleList
from .. import drawing_lots
from .transform import Transform

__all__ = ["Compose", "RandomApply", "RandomChoice", "RandomOrder"]

Function = Callable[..., Any]


def _listed(transforms: Any) -> str:
    return "\n".join(f"    {each}" for each in transforms)


def _check(transforms: Any) -> Any:
    if not isinstance(transforms, (Sequence, ModuleList)) or isinstance(transforms, str):
        raise TypeError("Argument transforms should be a sequence of callables")
    if not len(transforms):
        raise ValueError("Pass at least one transform")
    return transforms


def _through(transforms: Any, inputs: tuple[Any, ...]) -> Any:
    outputs: Any = inputs
    for transform in transforms:
        outputs = transform(*inputs)
        inputs = outputs if len(inputs) > 1 else (outputs,)
    return outputs


class Compose(Transform):
    """One transform after the other, of all parts of a sample.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import v2
    >>> v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])(torch.full((1, 1, 1), 255, dtype=torch.uint8))
    Image([[[1.]]], )
    """

    def __init__(self, transforms: Sequence[Function]) -> None:
        super().__init__()
        self.transforms = _check(transforms)

    def forward(self, *inputs: Any) -> Any:
        return _through(self.transforms, inputs)

    def extra_repr(self) -> str:
        return _listed(self.transforms)


class RandomApply(Transform):
    """All of the transforms with probability ``p``, otherwise none."""

    def __init__(self, transforms: Sequence[Function] | ModuleList, p: float = 0.5) -> None:
        super().__init__()
        self.transforms = _check(transforms)
        if not 0.0 <= p <= 1.0:
            raise ValueError("`p` should be a floating point value in the interval [0.0, 1.0].")
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        if drawing_lots.fraction() >= self.p:
            return inputs if len(inputs) > 1 else inputs[0]
        return _through(self.transforms, inputs)

    def extra_repr(self) -> str:
        return _listed(self.transforms)


class RandomChoice(Transform):
    """One of the transforms.

    Args:
        p: the weights of the transforms; by default equal.
    """

    def __init__(self, transforms: Sequence[Function], p: list[float] | None = None) -> None:
        _check(transforms)
        weights = [1.0] * len(transforms) if p is None else p
        if len(weights) != len(transforms):
            raise ValueError(f"Length of p doesn't match the number of transforms: {len(weights)} != {len(transforms)}")
        super().__init__()
        self.transforms = transforms
        total = sum(weights)
        self.p = [each / total for each in weights]

    def forward(self, *inputs: Any) -> Any:
        return self.transforms[drawing_lots.choose(self.p)](*inputs)


class RandomOrder(Transform):
    """All of the transforms in random order."""

    def __init__(self, transforms: Sequence[Function]) -> None:
        super().__init__()
        self.transforms = _check(transforms)

    def forward(self, *inputs: Any) -> Any:
        order = drawing_lots.shuffled(len(self.transforms))
        return _through([self.transforms[place] for place in order], inputs)
