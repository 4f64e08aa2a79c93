"""What v2 does to images beyond v1: fewer levels and equalisation of floating images, erasing in PIL images, noise."""

from __future__ import annotations

from typing import Any

from .....core import dtypes
from .....tensor import Tensor
from ....pillow import Image as PIL
from ... import functional as F

__all__ = ["equalize", "erase", "gaussian_noise", "jpeg", "permute_channels", "posterize"]


def posterize(image: Any, bits: int) -> Any:
    """Only ``2**bits`` levels: the highest bits of each byte, or as many steps from 0 to 1 of a floating image."""
    if not isinstance(image, Tensor) or not image.dtype.is_floating_point:
        return F.posterize(image, bits)
    levels = 1 << bits
    return (image * levels).floor().clamp(0, levels - 1) * (1.0 / levels)


def equalize(image: Any) -> Any:
    """Each channel's levels spread so that each is about equally frequent; of floating images 256 levels."""
    if not isinstance(image, Tensor) or not image.dtype.is_floating_point:
        return F.equalize(image)
    flat = F.convert_image_dtype(image, dtypes.uint8).reshape(-1, *image.shape[-3:])
    return F.convert_image_dtype(F.equalize(flat).reshape(image.shape), image.dtype)


def erase(image: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """The image with ``v`` in the rectangle of ``h`` × ``w`` whose upper left corner is at (i, j)."""
    if isinstance(image, PIL.Image):
        return F.to_pil_image(F.erase(F.pil_to_tensor(image), i, j, h, w, v, inplace=True), mode=image.mode)
    return F.erase(image, i, j, h, w, v, inplace)


def permute_channels(image: Any, permutation: list[int]) -> Any:
    """The channels in another order.

    Raises:
        ValueError: no permutation of the channels.
    """
    if isinstance(image, PIL.Image):
        return F.to_pil_image(permute_channels(F.pil_to_tensor(image), permutation), mode=image.mode)
    if sorted(permutation) != list(range(image.shape[-3])):
        raise ValueError(f"Length of permutation does not match number of channels: {permutation} of {image.shape[-3]}")
    return image[..., list(permutation), :, :]


def gaussian_noise(image: Any, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Any:
    """The image with Gaussian noise added, and cut off at 0 and 1.

    Raises:
        ValueError: a negative deviation, or no floating tensor.
    """
    import flambeau

    if not isinstance(image, Tensor) or not image.dtype.is_floating_point:
        raise ValueError(f"Input tensor is expected to be in float dtype, got {getattr(image, 'dtype', type(image))}")
    if sigma < 0:
        raise ValueError(f"sigma shouldn't be negative. Got {sigma}")
    noisy = image + (mean + flambeau.randn_like(image) * sigma)
    return noisy.clamp(0, 1) if clip else noisy


def jpeg(image: Any, quality: int) -> Any:
    """The image after compression to JPEG and back; of a batch each image by itself.

    Raises:
        ValueError: a tensor that is not uint8, or has other than one or three channels.
    """
    from io import BytesIO

    import flambeau

    if isinstance(image, PIL.Image):
        packed = BytesIO()
        image.save(packed, format="JPEG", quality=quality)
        packed.seek(0)
        return PIL.open(packed).convert(image.mode)
    if image.dtype is not dtypes.uint8 or image.shape[-3] not in (1, 3):
        raise ValueError(
            f"jpeg takes uint8 tensors of 1 or 3 channels, got {image.dtype} of shape {tuple(image.shape)}"
        )
    planes = image.reshape(-1, *image.shape[-3:])
    made = [F.pil_to_tensor(jpeg(F.to_pil_image(each), quality)) for each in planes]
    return flambeau.stack(made).reshape(image.shape) if made else image.clone()
