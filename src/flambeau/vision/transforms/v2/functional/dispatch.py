"""One function for all kinds of input: what it does to images, to masks and to boxes, chosen by the input's type."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from .....core import dtypes
from .....tensor import Tensor
from ....pillow import Image as PIL
from ....tv_tensors import BoundingBoxes, BoundingBoxFormat, Image, Mask, Video, wrap
from .box_formats import clamped, from_corners, to_corners

__all__ = ["Dispatched", "is_pure_tensor"]

#: A function from corners (N, 4) and canvas (height, width), then the arguments, to new corners and canvas.
BoxKernel = Callable[..., tuple[Any, tuple[int, int]]]


def is_pure_tensor(inpt: Any) -> bool:
    """Whether it is a tensor that does not say what it shows; such a one is taken for an image."""
    return isinstance(inpt, Tensor) and not isinstance(inpt, (Image, Video, Mask, BoundingBoxes))


class Dispatched:
    """A function of an input of any kind.

    Args:
        image: the function of PIL images and tensors.
        mask: that of masks; None: masks are not touched.
        boxes: that of boxes; None: boxes are not touched.
        clamp: cut boxes off at the image's border afterwards.
    """

    def __init__(
        self, name: str, image: Callable[..., Any], mask: Callable[..., Any] | None = None, boxes: BoxKernel | None = None,
        clamp: bool = True,
    ) -> None:  # fmt: skip
        update_wrapper(self, image)
        self.__name__ = self.__qualname__ = name
        self.name, self.image, self.mask, self.boxes, self.clamp = name, image, mask, boxes, clamp
        self.kernels: dict[type, Callable[..., Any]] = {}

    def register(self, kind: type, kernel: Callable[..., Any]) -> None:
        """Let ``kernel`` treat inputs of a type of the user's own."""
        self.kernels[kind] = kernel

    def kernel(self, inpt: Any) -> Callable[..., Any] | None:
        """What treats this input; None when nothing does."""
        if type(inpt) in self.kernels:
            return self.kernels[type(inpt)]
        if isinstance(inpt, (Image, Video)):
            return partial(self._wrapped, self.image)
        if isinstance(inpt, Mask):
            return None if self.mask is None else partial(self._wrapped, self.mask)
        if isinstance(inpt, BoundingBoxes):
            return None if self.boxes is None else self._of_boxes
        return self.image if isinstance(inpt, (Tensor, PIL.Image)) else None

    def __call__(self, inpt: Any, *args: Any, **kwargs: Any) -> Any:
        kernel = self.kernel(inpt)
        if kernel is None:
            raise TypeError(
                f"Functional F.{self.name} supports tensors, PIL images, tv_tensors.Image and tv_tensors.Video"
                f"{'' if self.mask is None else ', tv_tensors.Mask'}"
                f"{'' if self.boxes is None else ', tv_tensors.BoundingBoxes'}, but got {type(inpt)} instead."
            )
        return kernel(inpt, *args, **kwargs)

    def _wrapped(self, function: Callable[..., Any], inpt: Any, *args: Any, **kwargs: Any) -> Any:
        result = function(inpt, *args, **kwargs)  # operators give plain tensors of any
        if isinstance(result, tuple):
            return tuple(wrap(each, like=inpt) for each in result)
        return wrap(result, like=inpt) if isinstance(result, Tensor) else result

    def _of_boxes(self, inpt: Any, *args: Any, **kwargs: Any) -> Any:
        assert self.boxes is not None
        plain = inpt.as_subclass(Tensor)
        moved, canvas = self._corners(plain, inpt.format, inpt.canvas_size, inpt.clamping_mode, args, kwargs)
        return wrap(moved, like=inpt, canvas_size=canvas)

    def _corners(
        self,
        boxes: Any,
        format: BoundingBoxFormat,
        canvas: tuple[int, int],
        clamping: str | None,
        args: Any,
        kwargs: Any,
    ) -> Any:
        kind = boxes.dtype
        corners = to_corners(boxes if kind.is_floating_point else boxes.to(dtypes.float32), format)
        assert self.boxes is not None
        corners, canvas = self.boxes(corners, canvas, *args, **kwargs)
        if self.clamp and clamping is not None:
            corners = clamped(corners, canvas)
        return from_corners(corners, format).to(kind), canvas

    def __repr__(self) -> str:
        return f"<function {self.name}>"
