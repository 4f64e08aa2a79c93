"""The transforms under the name of the module in which torchvision keeps them."""

from . import *  # noqa: F403
from . import __all__ as __all__
