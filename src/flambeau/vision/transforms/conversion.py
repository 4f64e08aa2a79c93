"""From images to tensors and back, between dtypes, and to zero mean and unit deviation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...nn import Module
from . import functional as F

__all__ = ["ConvertImageDtype", "LinearTransformation", "Normalize", "PILToTensor", "ToPILImage", "ToTensor"]


class ToTensor:
    """A PIL image or array (height, width[, channels]) as a tensor (channels, height, width); bytes become 0 to 1.

    >>> import flambeau as torch, numpy
    >>> torch.vision.transforms.ToTensor()(numpy.zeros((4, 5, 3), numpy.uint8)).shape
    torch.Size([3, 4, 5])
    """

    def __call__(self, pic: Any) -> Any:
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """A PIL image as a tensor (channels, height, width) of the same numbers."""

    def __call__(self, pic: Any) -> Any:
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """A tensor (channels, height, width) or array (height, width, channels) as a PIL image.

    Args:
        mode: Pillow's name for the kind of pixels; by default what fits the channels and the dtype.
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class ConvertImageDtype(Module):
    """A tensor in another dtype: 0 to 1 in a floating one, 0 to the largest number in an integer one."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Any) -> Any:
        return F.convert_image_dtype(image, self.dtype)


class Normalize(Module):
    """(image - mean) / std, channel by channel.

    Args:
        inplace: write into the tensor given.

    >>> import flambeau as torch
    >>> torch.vision.transforms.Normalize([0.5], [0.25])(torch.ones(1, 1, 2))
    tensor([[[2., 2.]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: Any) -> Any:
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class LinearTransformation(Module):
    """(image - mean_vector) · transformation_matrix of the flattened image: whitening, for one.

    Args:
        transformation_matrix: (D, D), D being channels × height × width.
        mean_vector: (D,).

    Raises:
        ValueError: the sizes do not fit each other or the image.
    """

    def __init__(self, transformation_matrix: Any, mean_vector: Any) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(f"transformation_matrix should be square. Got {[rows, columns]} rectangular matrix.")
        if mean_vector.shape[0] != rows:
            raise ValueError(
                f"mean_vector should have the same length {mean_vector.shape[0]} as any one of the dimensions of the "
                f"transformation_matrix [{rows}x{columns}]"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor: Any) -> Any:
        shape = tensor.shape
        count = shape[-3] * shape[-2] * shape[-1]
        if count != self.transformation_matrix.shape[0]:
            raise ValueError(
                f"Input tensor and transformation matrix have incompatible shape: {tuple(shape[-3:])} holds {count} "
                f"numbers, the matrix is {tuple(self.transformation_matrix.shape)}"
            )
        return ((tensor.reshape(-1, count) - self.mean_vector) @ self.transformation_matrix).reshape(shape)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(transformation_matrix={self.transformation_matrix.tolist()}, "
            f"mean_vector={self.mean_vector.tolist()})"
        )
