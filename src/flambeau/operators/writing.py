"""Writing results into existing tensors: what may be written where, in-place results, ``out=``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..autograd.in_place import check_inference, check_leaf, check_view
from ..core import strides as _strides
from ..core.dtypes import dtype as _dtype
from ..core.specs import Spec, spec
from ..core.storages import Storage, View
from ..primitives.values import Block
from ..tracing import recorder
from ..tracing.handles import Handle
from ..tracing.recorder import record
from ..tracing.rules import Rule, make_rule


def check_in_place(name: str, target: Any, shape: Sequence[int], kind: _dtype, tracked: bool) -> None:
    """Raise PyTorch's errors for a result that cannot be written into ``target``."""
    here = target._spec
    if target._inference:
        check_inference(target)
    if target._base is not None:
        check_view(target)
    if tracked:
        check_leaf(target)
    if shape is not here.shape and tuple(shape) != tuple(here.shape):
        raise RuntimeError(
            f"output with shape {list(here.shape)} doesn't match the broadcast shape {list(shape)} (in {name}_)"
        )
    if kind is not here.dtype:
        _check_cast(name, kind, here.dtype)
    check_no_overlap(name + "_", target)


def _check_cast(name: str, kind: _dtype, to: _dtype) -> None:
    from ..core.dtypes import can_cast
    from ..core.names import scalar_name

    if not can_cast(kind, to):
        raise RuntimeError(
            f"result type {scalar_name(kind)} can't be cast to the desired output type {scalar_name(to)} (in {name}_)"
        )


#: Operators that PyTorch lets write into elements that share memory.
_MAY_OVERLAP = frozenset(("fill", "index_fill", "index_put", "masked_fill", "sum", "tril", "triu", "zero"))


def check_no_overlap(name: str, target: Any) -> None:
    """Raise PyTorch's error for a tensor (an expanded one, say) that cannot be written element by element."""
    here = target._spec
    if here.is_dense or name.rstrip("_") in _MAY_OVERLAP:
        return
    if any(step == 0 and size > 1 for step, size in zip(here.strides, here.shape)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            f"Please clone() the tensor before performing the operation ({name})."
        )


def store(target: Any, value: Storage) -> None:
    """Write a freshly recorded value into ``target``'s memory, cast and laid out as that wants."""
    wanted = target._spec
    if value.spec.dtype is not wanted.dtype:
        value = record(_cast_rule(value.spec, wanted.dtype), [value])[0]
    recorder.write(target._cell, value, not target._data_alias)


_cast_rules: dict[Any, Rule] = {}


def _cast_rule(of: Spec, to: _dtype) -> Rule:
    found = _cast_rules.get((of, to))
    if found is None:
        from ..primitives.elementwise import cast

        with Block() as block:
            out = cast(block.input(of.shape, of.dtype), dtype=to)
        layout = spec(of.shape, to, of.strides if of.is_dense else None)
        found = _cast_rules[of, to] = make_rule("to", (of,), block, (out,), (layout,))
    return found


#: Operators whose ``out`` must have the result's very dtype.
_EXACT_OUT = frozenset("aminmax addmm addmv amax amin argmax argmin baddbmm bmm gather mm".split())

#: Operators that PyTorch lets write no input of theirs, not even as a whole.
READS_AFTER_WRITING = frozenset(("cat", "gather", "index_select", "masked_select", "take"))


def check_apart(name: str, out: Any, operands: Sequence[Any]) -> None:
    """Raise PyTorch's error where ``out`` shares part of its memory with an operand."""
    inputs = [each for value in operands for each in flat(value)]
    for target in flat(out):
        for each in inputs:
            if not isinstance(each, Handle) or not isinstance(target, Handle) or each._storage is not target._storage:
                continue
            whole = each is target or (each._spec is target._spec and _start(each) == _start(target))
            if whole and name not in READS_AFTER_WRITING:
                continue
            if not (each._spec.is_dense and target._spec.is_dense):
                continue  # PyTorch does not look at the elements one by one
            if whole or (_start(each) < _end(target) and _start(target) < _end(each)):
                raise RuntimeError(
                    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                    f"memory location. Please clone() the tensor before performing the operation ({name})."
                )


def _start(tensor: Any) -> int:
    return tensor._cell.offset if type(tensor._cell) is View else 0


def _end(tensor: Any) -> int:
    return _start(tensor) + _strides.extent(tensor._spec.shape, tensor._spec.strides)


def write_out(name: str, out: Any, results: Any) -> Any:
    """Copy results into the tensors given as ``out=``, resizing those whose shape differs."""
    if isinstance(results, (tuple, list)):
        if not isinstance(out, (tuple, list)) or len(out) != len(results):
            raise TypeError(f"{name}(): argument 'out' must be tuple of {len(results)} Tensors")
        for each, result in zip(out, results):
            write_out(name, each, result)
        return out if not hasattr(results, "_fields") else type(results)(tuple(out))
    if not isinstance(out, Handle):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    target: Any = out  # methods of Tensor, which is declared above this layer
    from ..core.dtypes import can_cast
    from ..core.names import scalar_name

    kind, wanted = results._spec.dtype, out._spec.dtype
    if kind is not wanted and name in _EXACT_OUT:
        raise RuntimeError(
            f"Expected out tensor to have dtype {scalar_name(kind).lower()}, but got {scalar_name(wanted).lower()} instead"
        )
    if kind is not wanted and not can_cast(kind, wanted):
        raise RuntimeError(f"result type {scalar_name(kind)} can't be cast to the desired output type {scalar_name(wanted)}")
    check_no_overlap(name, out)
    if out._spec.shape != results._spec.shape:
        if out._spec.numel:
            import warnings

            warnings.warn(
                f"An output with one or more elements was resized since it had shape {list(out._spec.shape)}, which does not "
                f"match the required output shape {list(results._spec.shape)}. This behavior is deprecated, and in a future "
                "PyTorch release outputs will not be resized unless they have zero elements. You can explicitly reuse an out "
                "tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
                stacklevel=4,
            )
        target.resize_(results._spec.shape)
        if results._spec.is_dense and not results._spec.is_contiguous:
            target.as_strided_(tuple(results._spec.shape), results._spec.strides)
    from .conversion import overwrite

    overwrite(target.detach(), results)
    return out


def flat(value: Any) -> tuple[Any, ...]:
    """The items of a tuple or list; anything else alone."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)
