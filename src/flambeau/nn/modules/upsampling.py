"""PyTorch's path to what is in ``nn/vision.py``; imports and pickles name it."""

from ..vision import (
    Upsample as Upsample,
    UpsamplingBilinear2d as UpsamplingBilinear2d,
    UpsamplingNearest2d as UpsamplingNearest2d,
)
