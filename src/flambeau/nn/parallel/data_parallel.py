"""``DataParallel``: splits a batch over the accelerators of this process. On a CPU it calls its module."""

from __future__ import annotations

from typing import Any

from ..module import Module

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """Wraps ``module`` as PyTorch's does (its state has the prefix ``module.``); without accelerators it only calls it.

    Raises:
        RuntimeError: devices are named and there are none.

    >>> import flambeau as torch
    >>> list(torch.nn.DataParallel(torch.nn.Linear(1, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        _refuse_devices(device_ids)
        self.module = module
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Call ``module`` on a batch split over accelerators; without any, on the batch as it is."""
    _refuse_devices(device_ids)
    return module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))


def _refuse_devices(device_ids: Any) -> None:
    if device_ids:
        raise RuntimeError(
            f"DataParallel: device_ids={list(device_ids)} names accelerators, but this process has none. Leave "
            "device_ids out to run on the CPU."
        )
