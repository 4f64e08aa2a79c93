"""Between kinds, dtypes and formats; functions as transforms."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....core import dtypes
from ....tensor import Tensor
from ...pillow import Image as PIL
from ...tv_tensors import BoundingBoxes, BoundingBoxFormat, Image, TVTensor, Video
from .. import functional as F1
from ..conversion import LinearTransformation as LinearTransformation1
from . import functional as F
from .functional.dispatch import is_pure_tensor
from .transform import Transform

__all__ = [
    "ClampBoundingBoxes", "ConvertBoundingBoxFormat", "ConvertImageDtype", "Identity", "Lambda", "LinearTransformation",
    "Normalize", "PILToTensor", "ToDtype", "ToImage", "ToPILImage", "ToPureTensor", "ToTensor",
]  # fmt: skip


class Identity(Transform):
    """The sample as it is."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt


class Lambda(Transform):
    """A function as a transform of all parts of a sample that are of the types given."""

    _transformed_types = (object,)

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        self.lambd = lambd
        self.types = types or self._transformed_types

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self.lambd(inpt) if isinstance(inpt, self.types) else inpt

    def extra_repr(self) -> str:
        return f"{getattr(self.lambd, '__name__', repr(self.lambd))}, types={[kind.__name__ for kind in self.types]}"


class ToImage(Transform):
    """PIL images, arrays and plain tensors as ``tv_tensors.Image``; numbers stay as they are."""

    _transformed_types = (is_pure_tensor, PIL.Image, np.ndarray)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.to_image(inpt)


class ToPureTensor(Transform):
    """Images, videos, masks and boxes as plain tensors."""

    _transformed_types = (TVTensor,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt.as_subclass(Tensor)


class PILToTensor(Transform):
    """PIL images as tensors of the same numbers."""

    _transformed_types = (PIL.Image,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.pil_to_tensor(inpt)


class ToPILImage(Transform):
    """Tensors and arrays as PIL images; see ``functional.to_pil_image``."""

    _transformed_types = (is_pure_tensor, Image, np.ndarray)

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F1.to_pil_image(inpt, self.mode)


class ToTensor(Transform):
    """PIL images and arrays as tensors from 0 to 1. ``ToImage`` and ``ToDtype(float32, scale=True)`` say which they mean."""

    _transformed_types = (PIL.Image, np.ndarray)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F1.to_tensor(inpt)


class ConvertImageDtype(Transform):
    """Images in another dtype, so that full brightness stays full brightness."""

    _transformed_types = (is_pure_tensor, Image)

    def __init__(self, dtype: Any = dtypes.float32) -> None:
        super().__init__()
        self.dtype = dtype

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.to_dtype, inpt, dtype=self.dtype, scale=True)


class ToDtype(Transform):
    """Parts of a sample in another dtype.

    Args:
        dtype: that of images and videos; or for each type its dtype (None: as it is), "others" being the rest.
        scale: keep full brightness full brightness, in images and videos.

    Raises:
        ValueError: the dictionary lacks a type that is in the sample.
    """

    _transformed_types = (Tensor,)

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, (dict, dtypes.dtype)):
            raise ValueError(f"dtype must be a dict or a torch.dtype, got {type(dtype)} instead")
        if isinstance(dtype, dict) and Tensor in dtype and any(each in dtype for each in (Image, Video)):
            warnings.warn(
                "Got `dtype` values for `torch.Tensor` and either `tv_tensors.Image` or `tv_tensors.Video`. Note that a "
                "plain `torch.Tensor` will *not* be transformed by this (or any other transformation) in case a "
                "`tv_tensors.Image` or `tv_tensors.Video` is present in the input.",
                stacklevel=2,
            )
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        of_pixels = is_pure_tensor(inpt) or isinstance(inpt, (Image, Video))
        if not isinstance(self.dtype, dict):
            if not of_pixels:
                return inpt
            wanted = self.dtype
        elif type(inpt) in self.dtype:
            wanted = self.dtype[type(inpt)]
        elif "others" in self.dtype:
            wanted = self.dtype["others"]
        else:
            raise ValueError(
                f"No dtype was specified for type {type(inpt)}. If you only need to convert the dtype of images or videos, "
                "you can just pass e.g. dtype=torch.float32. If you're passing a dict as dtype, you can use 'others' as a "
                "catch-all key, e.g. dtype={tv_tensors.Mask: torch.int64, 'others': None}."
            )
        if wanted is None:
            if self.scale and of_pixels:
                warnings.warn(
                    "scale was set to True but no dtype was specified for images or videos: no scaling will be done.",
                    stacklevel=2,
                )
            return inpt
        if isinstance(inpt, BoundingBoxes):
            return inpt.to(wanted)
        return self._call_kernel(F.to_dtype, inpt, dtype=wanted, scale=self.scale)


class Normalize(Transform):
    """(image - mean) / std, channel by channel; of images and videos.

    Raises:
        TypeError: a PIL image.
    """

    _transformed_types = (Image, is_pure_tensor, Video)

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean = list(mean)
        self.std = list(std)
        self.inplace = inplace

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        if any(isinstance(each, PIL.Image) for each in flat_inputs):
            raise TypeError("Normalize() does not support PIL images.")

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) == 1 and isinstance(inputs[0], PIL.Image):
            self.check_inputs(list(inputs))
        return super().forward(*inputs)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.normalize, inpt, mean=self.mean, std=self.std, inplace=self.inplace)


class LinearTransformation(Transform):
    """(image - mean_vector) · transformation_matrix of the flattened image: whitening, for one."""

    _transformed_types = (is_pure_tensor, Image, Video)

    def __init__(self, transformation_matrix: Any, mean_vector: Any) -> None:
        super().__init__()
        object.__setattr__(self, "_linear", LinearTransformation1(transformation_matrix, mean_vector))
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        linear: Any = self.__dict__["_linear"]
        return linear(inpt.as_subclass(Tensor)).as_subclass(type(inpt))


class ConvertBoundingBoxFormat(Transform):
    """Boxes in another format."""

    _transformed_types = (BoundingBoxes,)

    def __init__(self, format: str | BoundingBoxFormat) -> None:
        super().__init__()
        self.format = format

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.convert_bounding_box_format(inpt, new_format=self.format)


class ClampBoundingBoxes(Transform):
    """Boxes cut off at the image's border."""

    _transformed_types = (BoundingBoxes,)

    def __init__(self, clamping_mode: str | None = "auto") -> None:
        super().__init__()
        self.clamping_mode = clamping_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return F.clamp_bounding_boxes(inpt, clamping_mode=self.clamping_mode)
