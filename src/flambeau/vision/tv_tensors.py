"""Tensors that say what they show: an image, a video, a mask, boxes. ``transforms.v2`` treats each as it must be.

Operators give plain tensors; copies (``clone``, ``to``, ``detach``) stay what they were.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from ..operators.interchange import asarray
from ..tensor import Tensor
from .pillow import Image as PIL

__all__ = ["BoundingBoxFormat", "BoundingBoxes", "Image", "Mask", "TVTensor", "Video", "wrap"]


#: The operators as methods of Tensor, where they are entered at run time.
_plain: Any = Tensor


class TVTensor(Tensor):
    """What the kinds share. Made from a tensor, an array, nested lists or, for images and masks, a PIL image.

    Args:
        dtype, device, requires_grad: as for ``flambeau.tensor``; by default the data's own.
    """

    #: The attributes that a copy keeps.
    _told: tuple[str, ...] = ()

    def __new__(cls, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool | None = None) -> Any:
        return _tensor(data, dtype, device, requires_grad).as_subclass(cls)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        extra = ", ".join(f"{name}={getattr(self, name)}" for name in self._told)
        return f"{super().__repr__()[:-1]}, {extra})"

    def as_subclass(self, cls: type) -> Any:
        """The same tensor as one of another class, which does not know what this one says of itself."""
        made = Tensor.as_subclass(self, cls)
        for name in self._told:
            made.__dict__.pop(name, None)
        return made

    def _same_kind(self, made: Any) -> Any:
        return made if isinstance(made, type(self)) else wrap(made, like=self)

    def clone(self, *args: Any, **kwargs: Any) -> Any:
        """A copy in memory of its own."""
        return self._same_kind(_plain.clone(self, *args, **kwargs))

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """In another dtype or on another device."""
        return self._same_kind(_plain.to(self, *args, **kwargs))

    def detach(self) -> Any:
        """Apart from the graph."""
        return self._same_kind(_plain.detach(self))

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Whether gradients are wanted from here on."""
        Tensor.requires_grad_(self, requires_grad)
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        made = self.detach().clone().requires_grad_(self.requires_grad)
        memo[id(self)] = made
        return made


def _tensor(data: Any, dtype: Any, device: Any, requires_grad: bool | None) -> Any:
    if isinstance(data, PIL.Image):
        from .transforms.functional import pil_to_tensor

        data = pil_to_tensor(data)
    if requires_grad is None:
        requires_grad = data.requires_grad if isinstance(data, Tensor) else False
    made = _linked(asarray(data, dtype=dtype))
    if device is not None:
        made = made.to(device)
    # Another tensor than the one given, since what is asked of this one must not change that one.
    made = made.as_subclass(Tensor)
    return made.requires_grad_(requires_grad) if made.requires_grad != requires_grad else made


def _linked(tensor: Any) -> Any:
    """The tensor, or of a leaf that wants a gradient a view: an object of another class would be another leaf."""
    return tensor.view_as(tensor) if tensor.requires_grad and tensor.is_leaf else tensor


class Image(TVTensor):
    """An image, or several: (..., channels, height, width). Two dimensions are taken for one channel.

    Raises:
        ValueError: fewer than two dimensions.

    >>> import flambeau as torch
    >>> torch.vision.tv_tensors.Image([[1, 2]]).shape
    torch.Size([1, 1, 2])
    """

    def __new__(cls, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool | None = None) -> Any:
        made = _tensor(data, dtype, device, requires_grad)
        if made.ndim < 2:
            raise ValueError(f"Tensor must be 2D or higher, got {made.ndim}D tensor.")
        return (made.unsqueeze(0) if made.ndim == 2 else made).as_subclass(cls)


class Video(TVTensor):
    """Frames: (..., time, channels, height, width).

    Raises:
        ValueError: fewer than four dimensions.
    """

    def __new__(cls, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool | None = None) -> Any:
        made = _tensor(data, dtype, device, requires_grad)
        if made.ndim < 4:
            raise ValueError(f"A video has (..., time, channels, height, width), got shape {tuple(made.shape)}.")
        return made.as_subclass(cls)


class Mask(TVTensor):
    """For each pixel a number: of its class, or whether it belongs to an object. (..., height, width)."""

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return Tensor.__repr__(self)


class BoundingBoxFormat(Enum):
    """What the four numbers of a box are: X and Y of corners or centre (C), width and height."""

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"


class BoundingBoxes(TVTensor):
    """Boxes: (N, 4), or (4,) for one, which becomes (1, 4).

    Args:
        format: what the numbers are, a BoundingBoxFormat or its name.
        canvas_size: (height, width) of the image they belong to.
        clamping_mode: None for boxes that transforms shall not cut off at the image's border.

    >>> import flambeau as torch
    >>> torch.vision.tv_tensors.BoundingBoxes([1, 2, 3, 4], format="XYXY", canvas_size=(8, 8)).shape
    torch.Size([1, 4])
    """

    format: BoundingBoxFormat
    canvas_size: tuple[int, int]
    clamping_mode: str | None
    _told = ("format", "canvas_size", "clamping_mode")

    def __new__(
        cls, data: Any, *, format: BoundingBoxFormat | str, canvas_size: tuple[int, int],
        clamping_mode: str | None = "soft", dtype: Any = None, device: Any = None, requires_grad: bool | None = None,
    ):  # fmt: skip
        made = _tensor(data, dtype, device, requires_grad)
        if made.ndim == 1:
            made = made.unsqueeze(0)
        elif made.ndim != 2:
            raise ValueError(f"Expected a 1D or 2D tensor, got {made.ndim}D")
        return _boxes(made, format, canvas_size, clamping_mode)


def _boxes(data: Any, format: BoundingBoxFormat | str, canvas_size: Any, clamping_mode: str | None) -> Any:
    if clamping_mode not in ("soft", "hard", None):
        raise ValueError(f"clamping_mode must be soft, hard or None, got {clamping_mode}")
    made = data.as_subclass(BoundingBoxes)
    made.format = BoundingBoxFormat[format.upper()] if isinstance(format, str) else format
    made.canvas_size = tuple(canvas_size)
    made.clamping_mode = clamping_mode
    return made


def wrap(wrappee: Any, *, like: Any, **kwargs: Any) -> Any:
    """The tensor ``wrappee`` as the kind that ``like`` is; of boxes with its format and canvas, or those given.

    >>> import flambeau as torch
    >>> type(wrap(torch.zeros(1, 2, 2), like=Image([[0]]))).__name__
    'Image'
    """
    wrappee = _linked(wrappee)
    if isinstance(like, BoundingBoxes):
        told = {name: kwargs.get(name, getattr(like, name)) for name in BoundingBoxes._told}
        return _boxes(wrappee, **told)
    return wrappee.as_subclass(type(like))
