"""Everything a writer writes, as functions that make ``Summary`` protocol buffers (``torch.utils.tensorboard.summary``)."""

from __future__ import annotations

from .histograms import compute_curve, histogram, histogram_raw, make_histogram, pr_curve, pr_curve_raw
from .hyperparameters import hparams
from .images import draw_boxes, image, image_boxes, make_image, make_video, video
from .meshes import mesh
from .scalars import custom_scalars, scalar, tensor_proto, text
from .sounds import audio

__all__ = [
    "audio", "compute_curve", "custom_scalars", "draw_boxes", "histogram", "histogram_raw", "hparams", "image", "image_boxes",
    "make_histogram", "make_image", "make_video", "mesh", "pr_curve", "pr_curve_raw", "scalar", "tensor_proto", "text", "video",
]  # fmt: skip
