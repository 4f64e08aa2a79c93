"""Weights somebody trained and published: where they are, what they reach, and how images must be prepared for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from .preprocessing import ImageClassification

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Weights", "WeightsEnum"]

_FILES = "https://download.pytorch.org/models/"
_CODE = "https://github.com/"


@dataclass
class Weights:
    """One set of published weights.

    Attributes:
        url: where the checkpoint is; its name ends in the first digits of its SHA-256.
        transforms: makes the preprocessing the weights were trained for.
        meta: what is known of them: ``num_params``, ``categories``, ``min_size``, accuracies under ``_metrics`` …
    """

    url: str
    transforms: Callable[..., Any]
    meta: dict[str, Any]


class WeightsEnum(Enum):
    """The weights published for one model; each member is a :class:`Weights`, ``DEFAULT`` the best of them.

    >>> from flambeau.vision.models import ResNet18_Weights
    >>> ResNet18_Weights.DEFAULT
    ResNet18_Weights.IMAGENET1K_V1
    >>> ResNet18_Weights.DEFAULT.meta["num_params"]
    11689512
    """

    value: Weights

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """The member ``obj`` is or names, or None.

        Raises:
            TypeError: weights of another model.
            KeyError: no weights have this name.
        """
        if obj is None or isinstance(obj, cls):
            return obj
        if isinstance(obj, str):
            return cls[obj.replace(f"{cls.__name__}.", "")]
        raise TypeError(f"Invalid Weight class provided; expected {cls.__name__} but received {type(obj).__name__}.")

    def get_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Download the weights (once) and load them; arguments as for ``hub.load_state_dict_from_url``."""
        from ...hub import load_state_dict_from_url

        return load_state_dict_from_url(self.url, *args, **kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return getattr, (type(self), self._name_)  # by name: what it says may change

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name_}"

    @property
    def url(self) -> str:
        """Where the checkpoint is."""
        return self.value.url

    @property
    def transforms(self) -> Callable[..., Any]:
        """Call it for the preprocessing these weights need."""
        return self.value.transforms

    @property
    def meta(self) -> dict[str, Any]:
        """What is known of these weights."""
        return self.value.meta


def imagenet(
    file: str,
    parameters: int,
    top1: float,
    top5: float,
    gflops: float,
    megabytes: float,
    *,
    recipe: str,
    min_size: int = 1,
    license: str | None = None,
    labelled: bool = True,
    **preparation: Any,
) -> Weights:
    """Weights trained on ImageNet-1K: file name, size, accuracies in percent, and what ``ImageClassification`` takes."""
    from .imagenet_categories import CATEGORIES

    meta: dict[str, Any] = {
        "num_params": parameters,
        "min_size": (min_size, min_size),
        "categories": CATEGORIES if labelled else None,
        "recipe": _CODE + recipe,
        "_metrics": {"ImageNet-1K": {"acc@1": top1, "acc@5": top5}},
        "_ops": gflops,
        "_file_size": megabytes,
    }
    if license is not None:
        meta["license"] = _CODE + license
    return Weights(_FILES + file, partial(ImageClassification, **preparation), meta)
