"""Cutting out, putting a border around, mirroring, erasing."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....operators.creation import from_array, tensor
from ....tensor import Tensor
from ...pillow import Image, ImageOps
from ..images import array_at_rest, check_image, get_dimensions

__all__ = ["center_crop", "crop", "erase", "five_crop", "hflip", "pad", "ten_crop", "vflip"]

_PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def hflip(img: Any) -> Any:
    """The image, mirrored left to right.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.hflip(torch.tensor([[1, 2, 3]]))
    tensor([[3, 2, 1]])
    """
    if isinstance(img, Image.Image):
        return img.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    check_image(img)
    array = array_at_rest(img)
    return img.flip(-1) if array is None else from_array(array[..., ::-1])


def vflip(img: Any) -> Any:
    """The image upside down.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.vflip(torch.tensor([[1], [2]]))
    tensor([[2],
            [1]])
    """
    if isinstance(img, Image.Image):
        return img.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    check_image(img)
    array = array_at_rest(img)
    return img.flip(-2) if array is None else from_array(array[..., ::-1, :])


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The rectangle whose upper left corner is at (top, left); what lies outside of the image is 0.

    >>> import flambeau as torch
    >>> crop(torch.ones(1, 4, 4), 3, 0, 2, 2)
    tensor([[[1., 1.],
             [0., 0.]]])
    """
    if isinstance(img, Image.Image):
        return img.crop((left, top, left + width, top + height))
    check_image(img)
    rows, columns = img.shape[-2:]
    if left >= 0 and top >= 0 and top + height <= rows and left + width <= columns:
        return img[..., top : top + height, left : left + width]
    x, right, before, after = _overlap(left, width, columns)
    y, bottom, above, below = _overlap(top, height, rows)
    return pad(img[..., y:bottom, x:right], [before, above, after, below])


def _overlap(start: int, length: int, whole: int) -> tuple[int, int, int, int]:
    """(begin, end) of what a stretch shares with one from 0 to ``whole``, and how much of it lies before and after."""
    begin = min(max(start, 0), whole)
    end = max(min(start + length, whole), begin)
    before = min(max(-start, 0), length)
    return begin, end, before, length - before - (end - begin)


def size_pair(size: Any) -> list[int]:
    """[height, width] from one number, from (size,) or from both."""
    if isinstance(size, numbers.Number):
        return [int(size), int(size)]  # type: ignore[call-overload]
    if len(size) == 1:
        return [size[0], size[0]]
    return list(size)


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """The middle of the image; a border of 0 is added where it is smaller.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.center_crop(torch.arange(16).reshape(1, 4, 4), 2)
    tensor([[[ 5,  6],
             [ 9, 10]]])
    """
    tall, wide = size_pair(output_size)
    _, height, width = get_dimensions(img)
    if wide > width or tall > height:
        extra, below = max(wide - width, 0), max(tall - height, 0)
        img = pad(img, [extra // 2, below // 2, (extra + 1) // 2, (below + 1) // 2])
        _, height, width = get_dimensions(img)
        if wide == width and tall == height:
            return img
    return crop(img, round((height - tall) / 2.0), round((width - wide) / 2.0), tall, wide)


def five_crop(img: Any, size: int | Sequence[int]) -> tuple[Any, Any, Any, Any, Any]:
    """The upper left, upper right, lower left and lower right corners, and the middle.

    Raises:
        ValueError: larger than the image.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> len(F.five_crop(torch.zeros(3, 8, 8), 4))
    5
    """
    size = size_pair(size)
    if len(size) != 2:
        raise ValueError("Please provide only two dimensions (h, w) for size.")
    tall, wide = size
    _, height, width = get_dimensions(img)
    if wide > width or tall > height:
        raise ValueError(f"Requested crop size {(tall, wide)} is bigger than input size {(height, width)}")
    return (
        crop(img, 0, 0, tall, wide),
        crop(img, 0, width - wide, tall, wide),
        crop(img, height - tall, 0, tall, wide),
        crop(img, height - tall, width - wide, tall, wide),
        center_crop(img, [tall, wide]),
    )


def ten_crop(img: Any, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Any, ...]:
    """``five_crop`` of the image and of its mirror image (upside down with ``vertical_flip``).

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> [tuple(each.shape) for each in F.ten_crop(torch.zeros(3, 8, 8), 4)][:2]
    [(3, 4, 4), (3, 4, 4)]
    """
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)


def four_sides(padding: Any) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) from one number, from (x, y), or from all four."""
    if isinstance(padding, numbers.Number):
        side = int(padding)  # type: ignore[call-overload]
        return side, side, side, side
    given = tuple(map(int, padding))
    if len(given) == 4:
        return given
    return given * 4 if len(given) == 1 else given * 2  # type: ignore[return-value]


def pad(img: Any, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> Any:
    """A border around the image.

    Args:
        padding: of all sides; (left and right, top and bottom); or (left, top, right, bottom).
        fill: the border's value, or one for each channel.
        padding_mode: "constant"; "edge" repeats the last pixel, "reflect" mirrors without it, "symmetric" with it.

    Raises:
        TypeError: an argument of another type.
        ValueError: not 1, 2 or 4 numbers, or another mode.
        RuntimeError: a reflection that is wider than the tensor.

    >>> import flambeau as torch
    >>> pad(torch.tensor([[[1, 2]]]), [1, 0], padding_mode="edge")
    tensor([[[1, 1, 2, 2]]])
    """
    check_image(img)
    if not isinstance(padding, (numbers.Number, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    if not isinstance(fill, (numbers.Number, str, tuple, list)) and fill is not None:
        raise TypeError("Got inappropriate fill arg")
    if not isinstance(padding_mode, str):
        raise TypeError("Got inappropriate padding_mode arg")
    if isinstance(padding, (tuple, list)) and len(padding) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple")
    if padding_mode not in _PADDING_MODES:
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
    sides = four_sides(padding)
    if isinstance(img, Image.Image):
        return _pad_pil(img, sides, fill, padding_mode)
    if padding_mode == "constant":
        return _pad_constant(img, sides, 0 if fill is None else fill)
    if min(sides) < 0:
        left, top, right, bottom = (min(side, 0) for side in sides)
        img = img[..., -top : img.shape[-2] + bottom, -left : img.shape[-1] + right]
        sides = tuple(max(side, 0) for side in sides)  # type: ignore[assignment]
    if padding_mode == "reflect" and any(side >= img.shape[-1 - which % 2] for which, side in enumerate(sides)):
        raise RuntimeError(
            "Padding size should be less than the corresponding input dimension: (left, top, right, bottom) = "
            f"{sides} cannot be reflected from an image of {tuple(img.shape)}"
        )
    rows = _sources(img.shape[-2], sides[1], sides[3], padding_mode)
    columns = _sources(img.shape[-1], sides[0], sides[2], padding_mode)
    array = array_at_rest(img)
    if array is not None:
        return from_array(array[..., rows[:, None], columns])
    return img.index_select(-2, from_array(rows)).index_select(-1, from_array(columns))


def _sources(length: int, before: int, after: int, mode: str) -> Any:
    """For each place along a padded side, the place its value comes from."""
    places = np.arange(-before, length + after)
    if mode == "edge":
        return places.clip(0, length - 1)
    if length == 1:
        return np.zeros_like(places)
    if mode == "reflect":
        places %= 2 * (length - 1)
        return np.minimum(places, 2 * (length - 1) - places)
    places %= 2 * length
    return np.minimum(places, 2 * length - 1 - places)


def _pad_constant(img: Any, sides: tuple[int, int, int, int], fill: Any) -> Any:
    import flambeau

    left, top, right, bottom = sides
    if isinstance(fill, (tuple, list)):
        fill = fill[0] if len(fill) == 1 else fill
    array = array_at_rest(img) if min(sides) >= 0 else None
    if array is not None:
        rows, columns = array.shape[-2:]
        shape = (*array.shape[:-2], rows + top + bottom, columns + left + right)
        if not fill:
            padded = np.zeros(shape, array.dtype)
        else:
            padded = np.empty(shape, array.dtype)
            padded[...] = np.asarray(fill, array.dtype).reshape(-1, 1, 1) if isinstance(fill, (tuple, list)) else fill
        padded[..., top : top + rows, left : left + columns] = array
        return from_array(padded)
    if isinstance(fill, (tuple, list)):
        # The border alone is not 0 in a padded image of zeros with ones around.
        border = flambeau.nn.functional.pad(flambeau.zeros_like(img), [left, right, top, bottom], value=1)
        values = tensor(fill, dtype=img.dtype, device=img.device).reshape(-1, 1, 1)
        return flambeau.nn.functional.pad(img, [left, right, top, bottom]) + border * values
    return flambeau.nn.functional.pad(img, [left, right, top, bottom], value=fill)


def fill_color(fill: Any, img: Any, name: str = "fill") -> Any:
    """``fill`` as Pillow takes it for an image: a number, or a tuple with one for each band.

    Raises:
        ValueError: another number of values than bands.
    """
    bands = len(img.getbands())
    if fill is None:
        fill = 0
    if isinstance(fill, (int, float)) and bands > 1:
        fill = (fill,) * bands
    if isinstance(fill, (list, tuple)):
        if len(fill) == 1:
            fill = tuple(fill) * bands
        elif len(fill) != bands:
            raise ValueError(
                f"The number of elements in '{name}' does not match the number of channels of the image "
                f"({len(fill)} != {bands})"
            )
        fill = tuple(fill)
    if img.mode != "F":
        fill = tuple(map(int, fill)) if isinstance(fill, tuple) else fill if isinstance(fill, str) else int(fill)
    return fill[0] if isinstance(fill, tuple) and bands == 1 else fill


def _pad_pil(img: Any, sides: tuple[int, int, int, int], fill: Any, mode: str) -> Any:
    if mode == "constant":
        padded = ImageOps.expand(img, border=sides, fill=fill_color(fill, img))
        if img.mode == "P":
            padded.putpalette(img.getpalette())
        return padded
    left, top, right, bottom = sides
    if min(sides) < 0:
        img = img.crop((-min(left, 0), -min(top, 0), img.width + min(right, 0), img.height + min(bottom, 0)))
    rows = _sources(img.height, max(top, 0), max(bottom, 0), mode)
    columns = _sources(img.width, max(left, 0), max(right, 0), mode)
    padded = Image.fromarray(np.asarray(img)[rows[:, None], columns])
    if img.mode == "P":
        padded.putpalette(img.getpalette())
    return padded


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """The tensor with ``v`` in the rectangle of ``h`` × ``w`` whose upper left corner is at (i, j).

    Raises:
        TypeError: no tensor.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.erase(torch.ones(1, 2, 3), 0, 1, 1, 2, torch.zeros(1))
    tensor([[[1., 0., 0.],
             [1., 1., 1.]]])
    """
    if not isinstance(img, Tensor):
        raise TypeError(f"Tensor is not a torch image: erase takes a tensor, got {type(img)}")
    if not inplace:
        img = img.clone()
    img[..., i : i + h, j : j + w] = v
    return img
