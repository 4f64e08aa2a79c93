"""Transforms as functions of images, videos, masks and boxes; a plain tensor is taken for an image."""

from __future__ import annotations

from typing import Any

from ... import functional as F
from ...images import get_dimensions
from ...interpolation import InterpolationMode
from . import boxes, levels, masks
from .box_formats import clamp_bounding_boxes, convert_bounding_box_format, sanitize_bounding_boxes
from .conversion import (
    get_num_channels,
    get_size,
    grayscale_to_rgb,
    pil_to_tensor,
    resize_image,
    to_dtype_image,
    to_image,
)
from .dispatch import Dispatched, is_pure_tensor

__all__ = [
    "InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation",
    "adjust_sharpness", "affine", "autocontrast", "center_crop", "clamp_bounding_boxes",
    "convert_bounding_box_format", "convert_image_dtype", "crop", "elastic", "elastic_transform", "equalize",
    "erase", "five_crop", "gaussian_blur", "gaussian_noise", "get_dimensions", "get_image_num_channels",
    "get_image_size", "get_num_channels", "get_size", "grayscale_to_rgb", "hflip", "horizontal_flip", "invert",
    "is_pure_tensor", "jpeg", "normalize", "pad", "permute_channels", "perspective", "pil_to_tensor", "posterize",
    "register_kernel", "resize", "resized_crop", "rgb_to_grayscale", "rotate", "sanitize_bounding_boxes",
    "solarize", "ten_crop", "to_dtype", "to_grayscale", "to_image", "to_pil_image", "to_tensor", "vertical_flip",
    "vflip",
]  # fmt: skip

# -- geometry: of masks and boxes, too ---------------------------------------------------------------------------------

horizontal_flip = hflip = Dispatched("horizontal_flip", F.hflip, F.hflip, boxes.horizontal_flip, clamp=False)
vertical_flip = vflip = Dispatched("vertical_flip", F.vflip, F.vflip, boxes.vertical_flip, clamp=False)
crop = Dispatched("crop", F.crop, F.crop, boxes.crop)
center_crop = Dispatched("center_crop", F.center_crop, F.center_crop, boxes.center_crop)
pad = Dispatched("pad", F.pad, F.pad, boxes.pad)
resize = Dispatched("resize", resize_image, masks.resize, boxes.resize)
resized_crop = Dispatched("resized_crop", F.resized_crop, masks.resized_crop, boxes.resized_crop)
affine = Dispatched("affine", F.affine, masks.affine, boxes.affine)
rotate = Dispatched("rotate", F.rotate, masks.rotate, boxes.rotate)
perspective = Dispatched("perspective", F.perspective, masks.perspective, boxes.perspective)
elastic = elastic_transform = Dispatched("elastic", F.elastic_transform, masks.elastic, boxes.elastic)
five_crop = Dispatched("five_crop", F.five_crop)
ten_crop = Dispatched("ten_crop", F.ten_crop)

# -- colours: of images alone ------------------------------------------------------------------------------------------

adjust_brightness = Dispatched("adjust_brightness", F.adjust_brightness)
adjust_contrast = Dispatched("adjust_contrast", F.adjust_contrast)
adjust_saturation = Dispatched("adjust_saturation", F.adjust_saturation)
adjust_hue = Dispatched("adjust_hue", F.adjust_hue)
adjust_gamma = Dispatched("adjust_gamma", F.adjust_gamma)
adjust_sharpness = Dispatched("adjust_sharpness", F.adjust_sharpness)
gaussian_blur = Dispatched("gaussian_blur", F.gaussian_blur)
invert = Dispatched("invert", F.invert)
posterize = Dispatched("posterize", levels.posterize)
solarize = Dispatched("solarize", F.solarize)
autocontrast = Dispatched("autocontrast", F.autocontrast)
equalize = Dispatched("equalize", levels.equalize)
rgb_to_grayscale = to_grayscale = Dispatched("rgb_to_grayscale", F.rgb_to_grayscale)
erase = Dispatched("erase", levels.erase)
permute_channels = Dispatched("permute_channels", levels.permute_channels)
jpeg = Dispatched("jpeg", levels.jpeg)
gaussian_noise = Dispatched("gaussian_noise", levels.gaussian_noise)
normalize = Dispatched("normalize", F.normalize)
to_dtype = Dispatched("to_dtype", to_dtype_image, masks.to_dtype)
convert_image_dtype = Dispatched("convert_image_dtype", F.convert_image_dtype)
to_pil_image, to_tensor = F.to_pil_image, F.to_tensor
get_image_num_channels, get_image_size = get_num_channels, get_size


def register_kernel(functional: Any, tv_tensor_cls: type) -> Any:
    """A decorator: let the function below treat inputs of a class of one's own, as ``functional`` treats images.

    Raises:
        ValueError: ``functional`` is none of this module's functions.
    """
    if not isinstance(functional, Dispatched):
        raise ValueError(
            f"Kernels can only be registered on functionals of transforms.v2.functional, but got {functional}."
        )

    def register(kernel: Any) -> Any:
        functional.register(tv_tensor_cls, kernel)
        return kernel

    return register
