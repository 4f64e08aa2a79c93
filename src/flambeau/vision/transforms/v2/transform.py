"""``Transform``: one random choice for all parts of a sample; and what its subclasses share."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

from ....nn import Module
from ....tensor import Tensor
from ...pillow import Image as PIL
from ...tv_tensors import BoundingBoxes, Image, Mask, Video
from .. import drawing_lots
from ..images import get_dimensions
from .functional.dispatch import Dispatched, is_pure_tensor
from .structures import leaves, rebuilt

__all__ = ["RandomApplied", "Transform", "query_channels", "query_size"]


class Transform(Module):
    """What transforms of samples are. A sample is an image, or anything in tuples, lists and dictionaries with one.

    A subclass defines ``transform(inpt, params)`` for one part and, if it draws lots, ``make_params(flat_inputs)``, which is
    called once for all of them. Images, videos, masks, boxes and PIL images are transformed, and of plain tensors the first
    one, where there is no image beside it; the rest of a sample stays as it is.
    """

    #: What is transformed: types, or functions that tell whether.
    _transformed_types: tuple[Any, ...] = (Tensor, PIL.Image)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse a sample that cannot be transformed. Any can, unless a subclass says otherwise."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The lots that are the same for all parts of a sample."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part of a sample, transformed."""
        raise NotImplementedError(f"{type(self).__name__} must define transform(inpt, params)")

    def _call_kernel(self, functional: Any, inpt: Any, *args: Any, **kwargs: Any) -> Any:
        """``functional`` of the input; the input itself, where that has nothing to do with its kind."""
        if isinstance(functional, Dispatched):
            kernel = functional.kernel(inpt)
            return inpt if kernel is None else kernel(inpt, *args, **kwargs)
        return functional(inpt, *args, **kwargs)

    def happens(self) -> bool:
        """Whether anything is done this time: the first lot."""
        return True

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        if isinstance(sample, (Tensor, PIL.Image)):
            # A single image, which is most of what passes here.
            flat = [sample]
            self.check_inputs(flat)
            if not self.happens() or not self._takes(sample):
                return sample
            return self.transform(sample, self.make_params(flat))
        flat = list(leaves(sample))
        self.check_inputs(flat)
        if not self.happens():
            return sample
        wanted = self._needed(flat)
        params = self.make_params([each for each, needed in zip(flat, wanted) if needed])
        made = [self.transform(each, params) if needed else each for each, needed in zip(flat, wanted)]
        return rebuilt(sample, iter(made))

    def _takes(self, inpt: Any) -> bool:
        for kind in self._transformed_types:
            if isinstance(inpt, kind) if isinstance(kind, type) else kind(inpt):
                return True
        return False

    def _needed(self, flat: list[Any]) -> list[bool]:
        pure_allowed = not any(isinstance(each, (Image, Video, PIL.Image)) for each in flat)
        wanted = []
        for each in flat:
            needed = self._takes(each)
            if needed and is_pure_tensor(each):
                needed, pure_allowed = pure_allowed, False
            wanted.append(needed)
        return wanted

    def extra_repr(self) -> str:
        told = []
        for name, value in self.__dict__.items():
            if name.startswith("_") or name == "training":
                continue
            if isinstance(value, (bool, int, float, str, tuple, list, enum.Enum)):
                told.append(f"{name}={value}")
        return ", ".join(told)


class RandomApplied(Transform):
    """A transform that does what it does with probability ``p``.

    Raises:
        ValueError: ``p`` is not from 0 to 1.
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0.0 <= p <= 1.0:
            raise ValueError("`p` should be a floating point value in the interval [0.0, 1.0].")
        super().__init__()
        self.p = p

    def happens(self) -> bool:
        return drawing_lots.fraction() < self.p


def query_size(flat_inputs: Sequence[Any]) -> tuple[int, int]:
    """(height, width) of a sample's parts.

    Raises:
        TypeError: none has a size.
        ValueError: they have different ones.
    """
    sizes = set()
    for each in flat_inputs:
        if isinstance(each, BoundingBoxes):
            sizes.add(tuple(each.canvas_size))
        elif isinstance(each, (Image, Video, Mask, PIL.Image)) or is_pure_tensor(each):
            sizes.add(tuple(get_dimensions(each)[1:]))
    if not sizes:
        raise TypeError("No image, video, mask or bounding box was found in the sample")
    if len(sizes) > 1:
        raise ValueError(f"Found multiple HxW dimensions in the sample: {', '.join(map(str, sorted(sizes)))}")
    return sizes.pop()  # type: ignore[return-value]


def query_channels(flat_inputs: Sequence[Any]) -> int:
    """How many channels a sample's images have.

    Raises:
        TypeError: there is no image.
        ValueError: they have different numbers.
    """
    found = {
        get_dimensions(each)[0]
        for each in flat_inputs
        if isinstance(each, (Image, Video, PIL.Image)) or is_pure_tensor(each)
    }
    if not found:
        raise TypeError("No image or video was found in the sample")
    if len(found) > 1:
        raise ValueError(f"Found multiple CxHxW dimensions in the sample: {', '.join(map(str, sorted(found)))}")
    return found.pop()


def fill_of(fill: Any, inpt: Any) -> Any:
    """What to fill this input with: ``fill``, or of a dictionary the entry of its type, or that of "others".

    Raises:
        RuntimeError: the dictionary has neither.
    """
    if not isinstance(fill, dict):
        return 0 if isinstance(inpt, Mask) and fill is None else fill
    kind = type(inpt)
    for wanted in (kind, *(each for each in fill if isinstance(each, type) and isinstance(inpt, each)), "others"):
        if wanted in fill:
            return fill[wanted]
    raise RuntimeError(
        f"Cannot find a fill for inputs of type {kind} in {fill}; add it, or an entry for 'others' that covers the rest"
    )
