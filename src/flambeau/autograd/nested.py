"""``NestedIOFunction``: a ``Function`` whose inputs and outputs are tensors in tuples, lists and dicts."""

from __future__ import annotations

from typing import Any

from .function import Function


def _flatten(value: Any, into: list[Any]) -> Any:
    """The structure of ``value``, its leaves appended to ``into``."""
    if isinstance(value, (tuple, list)):
        return type(value), [_flatten(each, into) for each in value]
    if isinstance(value, dict):
        return dict, [(key, _flatten(each, into)) for key, each in value.items()]
    into.append(value)
    return None


def _rebuild(structure: Any, leaves: Any) -> Any:
    if structure is None:
        return next(leaves)
    kind, parts = structure
    if kind is dict:
        return {key: _rebuild(part, leaves) for key, part in parts}
    return kind(_rebuild(part, leaves) for part in parts)


class _Flat(Function):
    """The same function on the leaves."""

    @staticmethod
    def forward(ctx: Any, cls: Any, structure: Any, made: list[Any], *leaves: Any) -> Any:
        ctx.extended, ctx.count = cls, len(leaves)
        outputs = cls.forward_extended(ctx, *_rebuild(structure, iter(leaves)))
        flat: list[Any] = []
        made.append(_flatten(outputs, flat))
        ctx.structure = made[0]
        return tuple(flat)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        nested = _rebuild(ctx.structure, iter(grads))
        found = ctx.extended.backward_extended(ctx, *(nested if isinstance(nested, tuple) else (nested,)))
        flat: list[Any] = []
        _flatten(found if isinstance(found, tuple) else (found,), flat)
        return None, None, None, *flat[: ctx.count], *(None,) * (ctx.count - len(flat))


class NestedIOFunction(Function):
    """Write ``forward_extended(ctx, *inputs)`` and ``backward_extended(ctx, *grads)`` with nested tuples, lists, dicts."""

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward_extended`` and put it on the tape."""
        leaves: list[Any] = []
        structure = _flatten(args, leaves)
        made: list[Any] = []
        flat = _Flat.apply(cls, structure, made, *leaves)
        return _rebuild(made[0], iter(flat if isinstance(flat, tuple) else (flat,)))

    @staticmethod
    def forward_extended(ctx: Any, *inputs: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError("You must implement forward_extended for NestedIOFunction.")

    @staticmethod
    def backward_extended(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the inputs, nested as they are."""
        raise NotImplementedError("You must implement backward_extended for NestedIOFunction.")


__all__ = ["NestedIOFunction"]
