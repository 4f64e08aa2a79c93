"""What automatic augmentation may do to an image: the operations, how strong they may be, and the learned policies."""

from __future__ import annotations

import math
from enum import Enum
from functools import lru_cache
from typing import Any

from . import functional as F
from .spacing import evenly_spaced

__all__ = ["OPERATIONS", "POLICIES", "AutoAugmentPolicy", "Space", "space"]

#: For each operation its magnitudes (None: it has none), and whether they go both ways.
Space = dict[str, tuple[list[float] | None, bool]]


class AutoAugmentPolicy(Enum):
    """The data set a policy was learned on."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


def _sheared(img: Any, along: float, down: float, interpolation: Any, fill: Any) -> Any:
    # About the upper left corner: what PIL's shear does, and the policies were learned with.
    bend = [math.degrees(math.atan(along)), math.degrees(math.atan(down))]
    return F.affine(img, 0.0, [0, 0], 1.0, bend, interpolation, fill, [0, 0])


def _moved(img: Any, across: float, down: float, interpolation: Any, fill: Any) -> Any:
    return F.affine(img, 0.0, [int(across), int(down)], 1.0, [0.0, 0.0], interpolation, fill)


#: Each operation as a function of (image, magnitude, interpolation, fill).
OPERATIONS: dict[str, Any] = {
    "Identity": lambda img, m, mode, fill: img,
    "ShearX": lambda img, m, mode, fill: _sheared(img, m, 0.0, mode, fill),
    "ShearY": lambda img, m, mode, fill: _sheared(img, 0.0, m, mode, fill),
    "TranslateX": lambda img, m, mode, fill: _moved(img, m, 0, mode, fill),
    "TranslateY": lambda img, m, mode, fill: _moved(img, 0, m, mode, fill),
    "Rotate": lambda img, m, mode, fill: F.rotate(img, m, mode, fill=fill),
    "Brightness": lambda img, m, mode, fill: F.adjust_brightness(img, 1.0 + m),
    "Color": lambda img, m, mode, fill: F.adjust_saturation(img, 1.0 + m),
    "Contrast": lambda img, m, mode, fill: F.adjust_contrast(img, 1.0 + m),
    "Sharpness": lambda img, m, mode, fill: F.adjust_sharpness(img, 1.0 + m),
    "Posterize": lambda img, m, mode, fill: F.posterize(img, int(m)),
    "Solarize": lambda img, m, mode, fill: F.solarize(img, m),
    "AutoContrast": lambda img, m, mode, fill: F.autocontrast(img),
    "Equalize": lambda img, m, mode, fill: F.equalize(img),
    "Invert": lambda img, m, mode, fill: F.invert(img),
}

_COLORS = ("Brightness", "Color", "Contrast", "Sharpness")


@lru_cache(maxsize=64)
def space(kind: str, bins: int, height: int, width: int, full: float = 255.0) -> Space:
    """The operations of "AutoAugment", "RandAugment", "TrivialAugmentWide" or "AugMix", in the order they are drawn in.

    ``full`` is what stands for full brightness in the magnitudes of "Solarize".
    """

    def up_to(end: float, start: float = 0.0) -> list[float]:
        return evenly_spaced(start, end, bins).tolist()

    def bits(most: int, fewer: int) -> list[float]:
        return [float(most - round(step / ((bins - 1) / fewer))) for step in range(bins)]

    shear, turn, color, most, fewer = {
        "AutoAugment": (0.3, 30.0, 0.9, 8, 4),
        "RandAugment": (0.3, 30.0, 0.9, 8, 4),
        "TrivialAugmentWide": (0.99, 135.0, 0.99, 8, 6),
        "AugMix": (0.3, 30.0, 0.9, 4, 4),
    }[kind]
    across, down = 150.0 / 331.0 * width, 150.0 / 331.0 * height
    if kind == "TrivialAugmentWide":
        across = down = 32.0
    elif kind == "AugMix":
        across, down = width / 3.0, height / 3.0
    found: Space = {"Identity": (None, False)} if kind in ("RandAugment", "TrivialAugmentWide") else {}
    found.update(
        ShearX=(up_to(shear), True), ShearY=(up_to(shear), True), TranslateX=(up_to(across), True),
        TranslateY=(up_to(down), True), Rotate=(up_to(turn), True),
    )  # fmt: skip
    colors: Space = {name: (up_to(color), True) for name in _COLORS}
    if kind != "AugMix":
        found.update(colors)
    found.update(
        Posterize=(bits(most, fewer), False), Solarize=(up_to(0.0, full), False), AutoContrast=(None, False),
        Equalize=(None, False),
    )  # fmt: skip
    if kind == "AutoAugment":
        found["Invert"] = (None, False)
    if kind == "AugMix":
        found.update(colors)
    return found


# The sub-policies that Cubuk et al. found: two operations each, with probability and magnitude (- : it has none).
_LEARNED = {
    AutoAugmentPolicy.IMAGENET: """
Posterize 0.4 8, Rotate 0.6 9
Solarize 0.6 5, AutoContrast 0.6 -
Equalize 0.8 -, Equalize 0.6 -
Posterize 0.6 7, Posterize 0.6 6
Equalize 0.4 -, Solarize 0.2 4
Equalize 0.4 -, Rotate 0.8 8
Solarize 0.6 3, Equalize 0.6 -
Posterize 0.8 5, Equalize 1.0 -
Rotate 0.2 3, Solarize 0.6 8
Equalize 0.6 -, Posterize 0.4 6
Rotate 0.8 8, Color 0.4 0
Rotate 0.4 9, Equalize 0.6 -
Equalize 0.0 -, Equalize 0.8 -
Invert 0.6 -, Equalize 1.0 -
Color 0.6 4, Contrast 1.0 8
Rotate 0.8 8, Color 1.0 2
Color 0.8 8, Solarize 0.8 7
Sharpness 0.4 7, Invert 0.6 -
ShearX 0.6 5, Equalize 1.0 -
Color 0.4 0, Equalize 0.6 -
Equalize 0.4 -, Solarize 0.2 4
Solarize 0.6 5, AutoContrast 0.6 -
Invert 0.6 -, Equalize 1.0 -
Color 0.6 4, Contrast 1.0 8
Equalize 0.8 -, Equalize 0.6 -
""",
    AutoAugmentPolicy.CIFAR10: """
Invert 0.1 -, Contrast 0.2 6
Rotate 0.7 2, TranslateX 0.3 9
Sharpness 0.8 1, Sharpness 0.9 3
ShearY 0.5 8, TranslateY 0.7 9
AutoContrast 0.5 -, Equalize 0.9 -
ShearY 0.2 7, Posterize 0.3 7
Color 0.4 3, Brightness 0.6 7
Sharpness 0.3 9, Brightness 0.7 9
Equalize 0.6 -, Equalize 0.5 -
Contrast 0.6 7, Sharpness 0.6 5
Color 0.7 7, TranslateX 0.5 8
Equalize 0.3 -, AutoContrast 0.4 -
TranslateY 0.4 3, Sharpness 0.2 6
Brightness 0.9 6, Color 0.2 8
Solarize 0.5 2, Invert 0.0 -
Equalize 0.2 -, AutoContrast 0.6 -
Equalize 0.2 -, Equalize 0.6 -
Color 0.9 9, Equalize 0.6 -
AutoContrast 0.8 -, Solarize 0.2 8
Brightness 0.1 3, Color 0.7 0
Solarize 0.4 5, AutoContrast 0.9 -
TranslateY 0.9 9, TranslateY 0.7 9
AutoContrast 0.9 -, Solarize 0.8 3
Equalize 0.8 -, Invert 0.1 -
TranslateY 0.7 9, AutoContrast 0.9 -
""",
    AutoAugmentPolicy.SVHN: """
ShearX 0.9 4, Invert 0.2 -
ShearY 0.9 8, Invert 0.7 -
Equalize 0.6 -, Solarize 0.6 6
Invert 0.9 -, Equalize 0.6 -
Equalize 0.6 -, Rotate 0.9 3
ShearX 0.9 4, AutoContrast 0.8 -
ShearY 0.9 8, Invert 0.4 -
ShearY 0.9 5, Solarize 0.2 6
Invert 0.9 -, AutoContrast 0.8 -
Equalize 0.6 -, Rotate 0.9 3
ShearX 0.9 4, Solarize 0.3 3
ShearY 0.8 8, Invert 0.7 -
Equalize 0.9 -, TranslateY 0.6 6
Invert 0.9 -, Equalize 0.6 -
Contrast 0.3 3, Rotate 0.8 4
Invert 0.8 -, TranslateY 0.0 2
ShearY 0.7 6, Solarize 0.4 8
Invert 0.6 -, Rotate 0.8 4
ShearY 0.3 7, TranslateX 0.9 3
ShearX 0.1 6, Invert 0.6 -
Solarize 0.7 2, TranslateY 0.6 7
ShearY 0.8 4, Invert 0.8 -
ShearX 0.7 9, TranslateY 0.8 3
ShearY 0.8 5, AutoContrast 0.7 -
ShearX 0.7 2, Invert 0.1 -
""",
}

Step = tuple[str, float, int | None]


def _step(words: str) -> Step:
    name, probability, magnitude = words.split()
    return name, float(probability), None if magnitude == "-" else int(magnitude)


#: For each data set its sub-policies: pairs of (operation, probability, magnitude's number).
POLICIES: dict[AutoAugmentPolicy, list[tuple[Step, ...]]] = {
    policy: [tuple(map(_step, line.split(","))) for line in text.strip().splitlines()]
    for policy, text in _LEARNED.items()
}
