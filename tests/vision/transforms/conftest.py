"""One picture in all the forms in which transforms meet it."""

import numpy as np
import pytest
from PIL import Image

import flambeau as torch


def smooth_picture(height: int = 37, width: int = 45) -> np.ndarray:
    """A picture (height, width, 3) of waves and a few hard edges."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [np.sin(x / 5.0 + y / 9.0), np.cos(y / 4.0) * np.sin(x / 7.0), np.sin((x * y) / 90.0)]
    picture = np.stack([(plane + 1) * 127.4 for plane in planes], -1).astype(np.uint8)
    picture[5:12, 8:20] = (250, 10, 30)
    return picture


@pytest.fixture
def picture() -> np.ndarray:
    """The pixels (37, 45, 3)."""
    return smooth_picture()


@pytest.fixture
def pil(picture: np.ndarray) -> Image.Image:
    """As a PIL image."""
    return Image.fromarray(picture)


@pytest.fixture
def planes(picture: np.ndarray) -> torch.Tensor:
    """As a tensor of bytes (3, 37, 45)."""
    return torch.from_numpy(picture.transpose(2, 0, 1).copy())


@pytest.fixture
def unit(planes: torch.Tensor) -> torch.Tensor:
    """As a tensor from 0 to 1."""
    return planes / 255
