"""Which kernel computes attention. There is one here; what chooses among several is remembered and given back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

__all__ = ["WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "sdpa_kernel"]

#: Set to have PyTorch say why a fused kernel was not taken.
WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(IntEnum):
    """A kernel for :func:`scaled_dot_product_attention`."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


#: The kernels allowed by the innermost region, in order of preference.
_allowed: list[SDPBackend] = [
    SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH, SDPBackend.CUDNN_ATTENTION,
]  # fmt: skip


class sdpa_kernel:
    """Allow only these kernels inside a ``with`` block (or a decorated function).

    Raises:
        AssertionError: not a backend, nor an iterable of backends.

    >>> import flambeau as torch
    >>> with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
    ...     torch.nn.functional.scaled_dot_product_attention(*[torch.ones(1, 1)] * 3)
    tensor([[1.]])
    """

    def __init__(self, backends: SDPBackend | Iterable[SDPBackend], set_priority: bool = False) -> None:
        if isinstance(backends, (str, int)) and not isinstance(backends, SDPBackend):
            raise AssertionError(
                "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
                f"{type(backends).__name__}"
            )
        self.backends = [backends] if isinstance(backends, SDPBackend) else list(dict.fromkeys(backends))
        self.set_priority = set_priority

    def __enter__(self) -> dict[Any, Any]:
        self._before = list(_allowed)
        _allowed[:] = self.backends
        return {}

    def __exit__(self, *exception: Any) -> None:
        _allowed[:] = self._before

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from functools import wraps

        @wraps(function)
        def within(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.backends, self.set_priority):
                return function(*args, **kwargs)

        return within
