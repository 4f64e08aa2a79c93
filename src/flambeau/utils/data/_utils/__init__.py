"""PyTorch's private package of this name, as far as scripts reach into it."""

from flambeau.utils.data._utils import collate

__all__ = ["collate"]
