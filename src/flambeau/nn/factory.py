"""Reading the ``device`` and ``dtype`` arguments of a layer's constructor."""

from __future__ import annotations

from typing import Any

__all__ = ["factory_kwargs"]

_KNOWN = ("device", "dtype", "memory_format")


def factory_kwargs(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """The device, dtype and memory format among ``kwargs``, joined with those under its key ``factory_kwargs``.

    Raises:
        TypeError: another key is in ``kwargs``, or one is given in both places.

    >>> import flambeau as torch
    >>> torch.nn.factory_kwargs({"device": "cpu", "factory_kwargs": {"dtype": torch.float64}})
    {'dtype': torch.float64, 'device': 'cpu'}
    """
    if kwargs is None:
        return {}
    unexpected = set(kwargs) - {*_KNOWN, "factory_kwargs"}
    if unexpected:
        raise TypeError(f"unexpected kwargs {unexpected}")
    joined = dict(kwargs.get("factory_kwargs", {}))
    for name in _KNOWN:
        if name in kwargs:
            if name in joined:
                raise TypeError(f"{name} specified twice, in **kwargs and in factory_kwargs")
            joined[name] = kwargs[name]
    return joined
