"""From images to tensors and back, between dtypes, and to zero mean and unit deviation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ....core import dtypes
from ....core.dtypes import dtype as Dtype, get_default_dtype
from ....operators.creation import from_array
from ....tensor import Tensor
from ...pillow import Image
from ..images import array_at_rest

__all__ = ["convert_image_dtype", "normalize", "pil_to_tensor", "to_pil_image", "to_tensor"]

#: The type of the numbers in an image of a mode; bytes in all others.
_PIXELS = {"I": np.int32, "I;16": np.uint16, "I;16L": np.uint16, "I;16B": ">u2", "F": np.float32, "1": np.bool_}


def _pixels(pic: Any) -> Any:
    """The pixels of a PIL image (height, width, channels), not to be written to."""
    mode = pic.mode
    if mode in _PIXELS:
        return np.asarray(pic)[:, :, None]
    # What np.asarray(pic) does, without asking the image to describe itself first.
    return np.frombuffer(pic.tobytes(), np.uint8).reshape(pic.height, pic.width, -1)


def _planes(pixels: Any) -> Any:
    """(height, width, channels) as a fresh row-major array (channels, height, width)."""
    return np.array(pixels.transpose(2, 0, 1), order="C")


def _unit(pixels: Any) -> Any:
    """Bytes (height, width, channels) as numbers from 0 to 1 (channels, height, width)."""
    kind = get_default_dtype().numpy
    if kind == np.float64:
        return _planes(pixels) / np.float64(255)
    if kind != np.float32:
        return (_planes(pixels).astype(np.float32) / np.float32(255)).astype(kind)
    height, width, channels = pixels.shape
    planes = np.empty((channels, height, width), np.float32)
    if channels == 1:
        np.divide(pixels.reshape(1, height, width), np.float32(255), out=planes, dtype=np.float32)
    else:
        planes[...] = pixels.transpose(2, 0, 1)
        planes /= np.float32(255)
    return planes


def to_tensor(pic: Any) -> Any:
    """A PIL image or an array (height, width[, channels]) as a tensor (channels, height, width); bytes become 0 to 1.

    Raises:
        TypeError: neither an image nor an array.
        ValueError: an array of other than two or three dimensions.

    >>> import numpy
    >>> to_tensor(numpy.full((1, 2), 255, numpy.uint8))
    tensor([[[1., 1.]]])
    """
    if isinstance(pic, Image.Image):
        pixels = _pixels(pic)
        if pixels.dtype == np.bool_:
            pixels = pixels.astype(np.uint8) * np.uint8(255)
        elif pixels.dtype == np.uint16:
            pixels = pixels.astype(np.int16)  # PyTorch's choice, from before it had uint16
    elif isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        pixels = pic[:, :, None] if pic.ndim == 2 else pic
    else:
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    return from_array(_unit(pixels) if pixels.dtype == np.uint8 else _planes(pixels))


def pil_to_tensor(pic: Any) -> Any:
    """A PIL image as a tensor (channels, height, width) of the same numbers.

    Raises:
        TypeError: no PIL image.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> from PIL import Image
    >>> F.pil_to_tensor(Image.new("RGB", (1, 2), (10, 20, 30)))[:, 0]
    tensor([[10],
            [20],
            [30]], dtype=torch.uint8)
    """
    if not isinstance(pic, Image.Image):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    return from_array(_planes(_pixels(pic)))


#: The modes one may choose for so many channels, the first being the one taken unasked.
_MODES = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
_MODES_OF_NUMBERS = {
    np.dtype(np.uint8): "L",
    np.dtype(np.int16): "I;16",
    np.dtype(np.int32): "I",
    np.dtype(np.float32): "F",
}


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor (channels, height, width), or an array (height, width, channels), as a PIL image.

    A floating tensor is taken to be from 0 to 1, unless ``mode`` is "F".

    Args:
        mode: Pillow's name for the kind of pixels; by default what fits the channels and the dtype.

    Raises:
        TypeError: neither tensor nor array, or a dtype images do not have.
        ValueError: not two or three dimensions, more than four channels, or a mode that does not fit.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.to_pil_image(torch.zeros(3, 2, 4)).size
    (4, 2)
    """
    if isinstance(pic, Tensor):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        if pic.ndim == 3 and pic.shape[-3] > 4:
            raise ValueError(f"pic should not have > 4 channels. Got {pic.shape[-3]} channels.")
        array = pic.detach().cpu().numpy()
        if array.ndim == 2:
            array = array[None]
        if pic.dtype.is_floating_point and mode != "F":
            array = (array * array.dtype.type(255)).astype(np.int64).astype(np.uint8)
        pixels = np.ascontiguousarray(array.transpose(1, 2, 0))
    elif isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        pixels = pic[:, :, None] if pic.ndim == 2 else pic
        if pixels.shape[-1] > 4:
            raise ValueError(f"pic should not have > 4 channels. Got {pixels.shape[-1]} channels.")
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    channels = pixels.shape[2]
    if channels == 1:
        found = _MODES_OF_NUMBERS.get(pixels.dtype)
        if mode is not None and mode != found:
            raise ValueError(f"Incorrect mode ({mode}) supplied for input type {pixels.dtype}. Should be {found}")
        if found is None:
            known = ", ".join(map(str, _MODES_OF_NUMBERS))
            raise TypeError(f"Input type {pixels.dtype} is not supported: an image of one channel is of {known}")
        if found == "I;16":
            height, width, _ = pixels.shape
            return Image.frombytes("I;16", (width, height), pixels.astype("<i2").tobytes())
        return Image.fromarray(np.ascontiguousarray(pixels[:, :, 0]))
    permitted = _MODES[channels]
    if mode is not None and mode not in permitted:
        raise ValueError(f"Only modes {list(permitted)} are supported for {channels} channel inputs")
    if pixels.dtype != np.uint8:
        raise TypeError(f"Input type {pixels.dtype} is not supported")
    chosen = mode or permitted[0]
    height, width, _ = pixels.shape
    return Image.frombytes(chosen, (width, height), pixels.tobytes())


_LARGEST = {
    dtypes.uint8: 255, dtypes.int8: 127, dtypes.int16: 2**15 - 1, dtypes.uint16: 2**16 - 1, dtypes.int32: 2**31 - 1,
    dtypes.int64: 2**63 - 1,
}  # fmt: skip


def largest_value(kind: Dtype) -> int:
    """The number that stands for full brightness: an integer dtype's largest, 1 for the others."""
    return _LARGEST.get(kind, 1)


def convert_image_dtype(image: Any, dtype: Dtype = dtypes.float32) -> Any:
    """The image in another dtype: 0 to 1 in a floating one, 0 to the largest number in an integer one.

    Raises:
        TypeError: no tensor.
        RuntimeError: from float32 to int32 or int64, or from float64 to int64, which cannot hold full brightness exactly.

    >>> import flambeau as torch
    >>> convert_image_dtype(torch.tensor([[0, 255]], dtype=torch.uint8))
    tensor([[0., 1.]])
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    source = image._spec.dtype
    if source is dtype:
        return image
    full = largest_value(dtype)
    if source.is_floating_point:
        if dtype.is_floating_point:
            return image.to(dtype)
        if (source is dtypes.float32 and dtype in (dtypes.int32, dtypes.int64)) or (
            source is dtypes.float64 and dtype is dtypes.int64
        ):
            raise RuntimeError(f"The cast from {source} to {dtype} cannot be performed safely.")
        # A little less than one more than the largest: 1.0 becomes the largest, and all numbers get equal shares.
        return image.mul(full + 1.0 - 1e-3).to(dtype)
    if dtype.is_floating_point:
        array = array_at_rest(image)
        if array is not None and dtype is dtypes.float32 and array.itemsize < 4:
            return from_array(np.divide(array, np.float32(largest_value(source)), dtype=np.float32))
        return image.to(dtype) / largest_value(source)
    held = largest_value(source)
    if held > full:
        return image.div((held + 1) // (full + 1), rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((full + 1) // (held + 1))


@lru_cache(maxsize=64)
def _columns(mean: Any, std: Any, kind: Any) -> tuple[Any, Any]:
    """Means and deviations to be broadcast over (channels, height, width)."""
    with np.errstate(over="ignore", under="ignore"):
        columns = np.array(mean, kind), np.array(std, kind)
    if not columns[1].all():
        raise ValueError(f"std evaluated to zero after conversion to {kind}, leading to division by zero.")
    return tuple(each.reshape(-1, 1, 1) if each.ndim else each for each in columns)  # type: ignore[return-value]


def normalize(tensor: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """(tensor - mean) / std, channel by channel.

    Args:
        tensor: floating, (..., channels, height, width).
        inplace: write into ``tensor``.

    Raises:
        TypeError: no floating tensor.
        ValueError: fewer than three dimensions, or a deviation of zero.

    >>> import flambeau as torch
    >>> normalize(torch.ones(1, 1, 2), [0.5], [0.25])
    tensor([[[2., 2.]]])
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    layout = tensor._spec
    if not layout.dtype.is_floating_point:
        raise TypeError(f"Input tensor should be a float tensor. Got {layout.dtype}.")
    if layout.ndim < 3:
        raise ValueError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {tuple(layout.shape)}"
        )
    if isinstance(mean, Tensor) or isinstance(std, Tensor):
        mean, std = (each.tolist() if isinstance(each, Tensor) else each for each in (mean, std))
    middle, spread = _columns(_frozen(mean), _frozen(std), layout.dtype.numpy)
    channels = layout.shape[-3]
    fits = middle.size in (1, channels) and spread.size in (1, channels)
    array = array_at_rest(tensor) if fits and not inplace and layout.dtype.numpy.isbuiltin == 1 else None
    if array is not None:
        centred = np.subtract(array, middle)
        return from_array(np.divide(centred, spread, out=centred))
    columns = [from_array(each.copy()).to(tensor.device) for each in (middle, spread)]
    result = tensor if inplace else tensor.clone()
    return result.sub_(columns[0]).div_(columns[1])


def _frozen(values: Any) -> Any:
    return tuple(map(float, values)) if hasattr(values, "__iter__") else float(values)
