"""Pillow's modules, in one place that says what to do where it is missing."""

from __future__ import annotations

try:
    from PIL import Image, ImageEnhance, ImageFilter, ImageOps
except ImportError as error:
    raise ImportError("flambeau.vision handles images with Pillow: pip install 'flambeau[vision]'") from error

__all__ = ["Image", "ImageEnhance", "ImageFilter", "ImageOps"]
