"""What nodes save for their derivatives: tensors with their versions, and packed ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.names import type_name
from ..tracing.handles import Handle, wrap


class SavedResult:
    """A result saved by the node that made it: held without the node, so that there is no cycle."""

    __slots__ = ("cell", "slot", "spec")

    def __init__(self, tensor: Any, slot: int) -> None:
        self.cell, self.spec, self.slot = tensor._cell, tensor._spec, slot


class Packed:
    """A saved tensor that a ``saved_tensors_hooks`` pair has packed."""

    __slots__ = ("slot", "unpack", "value")

    def __init__(self, value: Any, unpack: Callable[[Any], Any], slot: int | None) -> None:
        self.value, self.unpack, self.slot = value, unpack, slot


#: Active (pack, unpack) pairs of `saved_tensors_hooks`, innermost last.
saved_hooks: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = []
#: Set to a reason where `disable_saved_tensors_hooks` is active.
saved_hooks_disabled: list[str] = []


def save_value(value: Any, slot: int | None = None) -> tuple[Any, Any]:
    """What a node keeps of a value, and its version."""
    if isinstance(value, Handle):
        if value._inference:
            refuse_inference()
        if saved_hooks:
            pack, unpack = saved_hooks[-1]
            tensor = wrap(value._cell, value._spec) if slot is not None else value
            return Packed(pack(tensor), unpack, slot), 0
        version = value._cell.version
        return (value if slot is None else SavedResult(value, slot)), version
    if type(value) in (list, tuple) and any(isinstance(each, Handle) for each in value):
        return list(value), [each._cell.version if isinstance(each, Handle) else 0 for each in value]
    return value, 0


def refuse_inference() -> None:
    """Raise PyTorch's error for saving a tensor made in inference mode: nobody counts its versions."""
    raise RuntimeError(
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation "
        "tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use "
        "`torch.no_grad()` instead of `torch.inference_mode()`."
    )


def modified_error(saved: Any, version: int, node: Any) -> RuntimeError:
    """PyTorch's error for a saved tensor that was written to since."""
    cell = saved._cell if isinstance(saved, Handle) else saved.cell
    spec = saved._spec if isinstance(saved, Handle) else saved.spec
    origin = f", which is output {saved.slot} of {node.operation()}," if isinstance(saved, SavedResult) else ""
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{type_name(spec.dtype)} {list(spec.shape)}]{origin} is at version {cell.version}; expected version "
        f"{version} instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, "
        "with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )
