"""flambeau: PyTorch's programming model on a recording, compiling engine. ``import flambeau as torch``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .core.devices import device as device
from .core.dtypes import dtype as dtype
from .core.sizes import Size as Size
from .namespace import install as _install
from .native.policy import install as _install_native_tier
from .native.sampling_policy import install as _install_compiled_sampling
from .tensor import Tensor as Tensor
from .version import __version__ as __version__

_install(globals())
_install_native_tier()
_install_compiled_sampling()

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """What `namespace.install` enters, for type checkers."""
