"""Images of any leading dimensions and dtype as a floating batch (N, channels, height, width), and back."""

from __future__ import annotations

from typing import Any

from ....core import dtypes

__all__ = ["as_floating_batch", "restored"]


def as_floating_batch(img: Any, kind: Any = None) -> tuple[Any, Any]:
    """(batch, the dtype to restore). Integers become float32, or ``kind``."""
    shape = img.shape
    batch = img.reshape(-1, *shape[-3:]) if len(shape) >= 3 else img.reshape(1, 1, *shape)
    source = img.dtype
    wanted = kind or (source if source.is_floating_point else dtypes.float32)
    return (batch if source is wanted else batch.to(wanted)), source


def restored(batch: Any, like: Any, kind: Any) -> Any:
    """A floating batch with the leading dimensions of ``like`` and its dtype; integers are rounded to."""
    if not kind.is_floating_point:
        batch = batch.round().to(kind)
    elif batch.dtype is not kind:
        batch = batch.to(kind)
    return batch.reshape(*like.shape[:-2], *batch.shape[-2:])
