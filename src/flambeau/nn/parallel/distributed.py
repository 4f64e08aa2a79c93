"""``DistributedDataParallel``, which programs import before they know whether they will use it."""

from __future__ import annotations

from typing import Any

from ..module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """A module trained by several processes. There are no process groups here, so nothing is ever one.

    It can be named, imported and asked for with ``isinstance``, as in programs that run with one process or several.

    Raises:
        ValueError: always, as in PyTorch where no process group has been initialized.
    """

    def __init__(self, module: Any, *args: Any, **kwargs: Any) -> None:
        raise ValueError(
            "Default process group has not been initialized, and cannot be: torch.distributed.is_available() is False here. "
            "Use the module itself"
        )
