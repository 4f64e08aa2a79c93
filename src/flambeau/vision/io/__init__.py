"""Image files to tensors and back. torchvision.io."""

from __future__ import annotations

from .image import *  # noqa: F403
