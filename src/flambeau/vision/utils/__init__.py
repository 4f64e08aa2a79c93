"""Images of images: grids, boxes, masks and key points drawn on them, optical flow as colours. torchvision.utils."""

from __future__ import annotations

from .drawing import *  # noqa: F403
from .flow import *  # noqa: F403
from .grids import *  # noqa: F403
