"""Images: what torchvision is to PyTorch. Data sets, transforms, models, drawing, reading and writing, box operators.

Each part is imported when first touched. Pillow is needed for images: ``pip install 'flambeau[vision]'``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Parts that are modules of their own, imported on first use.
SUBMODULES = ("datasets", "io", "models", "ops", "transforms", "tv_tensors", "utils")

#: The torchvision whose interface this is.
__version__ = "0.28.0+flambeau"

__all__ = [*SUBMODULES, "disable_beta_transforms_warning", "get_image_backend", "set_image_backend"]


def set_image_backend(backend: str) -> None:
    """Choose what reads images. There is one choice: "PIL".

    Raises:
        ValueError: another name.
    """
    if backend != "PIL":
        raise ValueError(f"Invalid backend '{backend}'. Options are 'PIL'")


def get_image_backend() -> str:
    """What reads images: "PIL".

    >>> import flambeau as torch
    >>> torch.vision.get_image_backend()
    'PIL'
    """
    return "PIL"


def disable_beta_transforms_warning() -> None:
    """Nothing to disable: transforms.v2 warns of nothing. Older scripts call this."""


def __getattr__(name: str) -> Any:
    if name in SUBMODULES:
        try:
            return import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *SUBMODULES})
