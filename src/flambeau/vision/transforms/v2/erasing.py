"""A random rectangle erased; of images and videos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...pillow import Image as PIL
from ...tv_tensors import Image, Video
from ..erasing import check_erasing, filling_of, random_filling
from . import functional as F
from .functional.dispatch import is_pure_tensor
from .transform import RandomApplied, query_channels, query_size

__all__ = ["RandomErasing"]


class RandomErasing(RandomApplied):
    """A random rectangle erased with probability ``p``; see ``transforms.RandomErasing``."""

    _transformed_types = (is_pure_tensor, Image, Video, PIL.Image)

    def __init__(
        self, p: float = 0.5, scale: Sequence[float] = (0.02, 0.33), ratio: Sequence[float] = (0.3, 3.3), value: Any = 0.0,
        inplace: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(p)
        check_erasing(p, scale, ratio, value)
        self.scale = scale
        self.ratio = ratio
        if isinstance(value, (int, float)):
            self.value: list[float] | None = [float(value)]
        else:
            self.value = None if isinstance(value, str) else [float(each) for each in value]
        self.inplace = inplace

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        if not flat_inputs:
            return {"where": None}
        size = (query_channels(flat_inputs), *query_size(flat_inputs))
        return {"where": random_filling(size, self.scale, self.ratio, filling_of(self.value, size[0]))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        where = params["where"]
        return inpt if where is None else self._call_kernel(F.erase, inpt, *where, inplace=self.inplace)
