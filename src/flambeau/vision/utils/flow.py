"""Optical flow as colours: hue is direction, saturation is speed (Baker et al., 2007)."""

from __future__ import annotations

import math
from typing import Any

from ... import operators
from ...autograd.grad_mode import no_grad
from ...core.dtypes import finfo, float32, int64, uint8

__all__ = ["flow_to_image"]

#: The wheel: how many steps from each colour to the next, as perception has it; and which channel rises or falls.
_STEPS = ((15, 1, True), (6, 0, False), (4, 2, True), (11, 1, False), (13, 0, True), (6, 2, False))


def _wheel() -> list[list[float]]:
    """55 colours from red over yellow, green, cyan, blue, magenta back to red."""
    colours: list[list[float]] = []
    corner = [255.0, 0.0, 0.0]
    for steps, channel, rises in _STEPS:
        for step in range(steps):
            level = float(math.floor(255 * step / steps))
            colour = list(corner)
            colour[channel] = level if rises else 255.0 - level
            colours.append(colour)
        corner[channel] = 255.0 if rises else 0.0
    return colours


@no_grad()
def flow_to_image(flow: Any) -> Any:
    """An RGB image (…, 3, H, W), uint8, of a flow field (…, 2, H, W) in pixels; the fastest is the most colourful.

    Raises:
        ValueError: the field is not float32, or has another shape.

    >>> import flambeau as torch
    >>> torch.vision.utils.flow_to_image(torch.tensor([1.0, 0.0]).reshape(2, 1, 1)).flatten()
    tensor([255,   0,   0], dtype=torch.uint8)
    """
    if flow.dtype != float32:
        raise ValueError(f"Flow should be of dtype torch.float, got {flow.dtype}.")
    if flow.dim() not in (3, 4) or flow.shape[-3] != 2:
        raise ValueError(f"Input flow should have shape (2, H, W) or (N, 2, H, W), got {flow.shape}.")
    fields = flow if flow.dim() == 4 else flow[None]
    fields = fields / ((fields**2).sum(1).sqrt().max() + finfo(float32).eps)
    speed = (fields**2).sum(1).sqrt()
    wheel = operators.tensor(_wheel(), device=flow.device) / 255.0
    place = (operators.atan2(-fields[:, 1], -fields[:, 0]) / math.pi + 1) / 2 * (len(wheel) - 1)
    before = place.floor().to(int64)
    after = (before + 1) % len(wheel)
    share = (place - before)[..., None]
    colour = (1 - share) * wheel[before] + share * wheel[after]
    image = (255 * (1 - speed[..., None] * (1 - colour))).floor().to(uint8).permute(0, 3, 1, 2)
    return image if flow.dim() == 4 else image[0]
