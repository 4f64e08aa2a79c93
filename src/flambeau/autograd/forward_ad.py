"""Forward mode: tensors that carry a tangent (``torch.autograd.forward_ad``).

A dual tensor is an input of the tape that remembers its tangent; :func:`unpack_dual` finds J v for what was computed from
it by differentiating uᵀ J by u. So operators need no rules of their own for forward mode.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..core.dtypes import FLOATING
from .functional import pushed
from .grad_mode import enable_grad
from .isolation import alias_of, depends_on_others

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class _Levels:
    """The active level's dual tensors: (input of the tape, tangent)."""

    duals: list[tuple[Any, Any]] | None = None


class UnpackedDualTensor(NamedTuple):
    """A tensor's value and its tangent (None: it has none)."""

    primal: Any
    tangent: Any


def enter_dual_level() -> int:
    """Begin forward mode.

    Raises:
        RuntimeError: it is on already.
    """
    if _Levels.duals is not None:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _Levels.duals = []
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End forward mode; tangents are gone."""
    if _Levels.duals is None:
        raise RuntimeError("Dual level must be a positive number.")
    _Levels.duals = None


class dual_level:
    """Forward mode within a ``with``.

    >>> import flambeau as torch
    >>> import flambeau.autograd.forward_ad as forward
    >>> with forward.dual_level():
    ...     x = forward.make_dual(torch.tensor(3.0), torch.tensor(1.0))
    ...     forward.unpack_dual(x * x).tangent
    tensor(6.)
    """

    def __enter__(self) -> int:
        self._grad = enable_grad()
        self._grad.__enter__()
        return enter_dual_level()

    def __exit__(self, *exception: Any) -> None:
        exit_dual_level()
        self._grad.__exit__(*exception)


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """``tensor`` with a tangent of its shape."""
    if _Levels.duals is None:
        raise RuntimeError("Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first.")
    for name, each in (("primal", tensor), ("tangent", tangent)):
        if each._spec.dtype.category < FLOATING:
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {each._spec.dtype}")
    if tensor._spec.shape != tangent._spec.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {list(tensor._spec.shape)} while the given forward gradient is of size "
            f"{list(tangent._spec.shape)}."
        )
    with enable_grad():
        dual = alias_of(tensor)
    _Levels.duals.append((dual, tangent))
    return dual


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """The value and the tangent of a tensor computed from dual ones."""
    duals = _Levels.duals
    if not duals or not tensor._tracked:
        return UnpackedDualTensor(tensor, None)
    inputs, tangents = [each for each, _ in duals], [tangent for _, tangent in duals]
    for each, tangent in duals:
        if each is tensor:
            return UnpackedDualTensor(tensor.detach(), tangent)
    with enable_grad():
        others = depends_on_others((tensor, *tangents), inputs)
        (found,) = pushed((tensor,), inputs, tangents, others)
    return UnpackedDualTensor(tensor if others else tensor.detach(), found)
