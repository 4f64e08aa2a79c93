"""Random colours, and grey."""

from __future__ import annotations

from typing import Any

from ...nn import Module
from ...operators.creation import tensor
from . import drawing_lots, functional as F
from .arguments import spread_around
from .chance import WithProbability
from .images import get_dimensions

__all__ = ["ColorJitter", "Grayscale", "RandomGrayscale"]

Range = tuple[float, float] | None


class ColorJitter(Module):
    """Brightness, contrast, saturation and hue changed at random, in random order.

    Args:
        brightness, contrast, saturation: how far the factor may be from 1, or from … to.
        hue: how far round the colour circle, at most 0.5, or from … to.

    Raises:
        ValueError: negative, or beyond what is possible.
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = spread_around(brightness, "brightness")
        self.contrast = spread_around(contrast, "contrast")
        self.saturation = spread_around(saturation, "saturation")
        self.hue = spread_around(hue, "hue", center=0, bound=(-0.5, 0.5), clip=False)

    @staticmethod
    def get_params(brightness: Range, contrast: Range, saturation: Range, hue: Range) -> tuple[Any, ...]:
        """(order, brightness, contrast, saturation, hue): a permutation of the four, and their factors or None."""

        order = tensor(drawing_lots.shuffled(4))
        return (
            order,
            *(
                None if each is None else drawing_lots.uniform(*each)
                for each in (brightness, contrast, saturation, hue)
            ),
        )

    def forward(self, img: Any) -> Any:
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        for which in order.tolist():
            if factors[which] is not None:
                img = _ADJUSTMENTS[which](img, factors[which])
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(brightness={self.brightness}, contrast={self.contrast}, "
            f"saturation={self.saturation}, hue={self.hue})"
        )


_ADJUSTMENTS = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)


class Grayscale(Module):
    """Brightness alone, in one channel or three equal ones."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class RandomGrayscale(WithProbability):
    """Grey with probability ``p``, in as many channels as there are."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def apply(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, get_dimensions(img)[0])
