"""``Handle``: what recorder and tape need of a tensor. ``Tensor`` (tensor.py) adds the methods users call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.specs import Spec
from ..core.storages import Storage, View


class Handle:
    """A cell seen with a Spec, and its place in the autograd graph.

    A plain class with a ``__dict__``: making one and setting five attributes takes 0.15 µs, and users may add their own.
    """

    _cell: Storage | View
    _spec: Spec
    _tracked: bool  # requires grad
    _node: Any  # the Node that made it, or None for a leaf
    _slot: int  # which of the node's results it is

    _grad: Any = None
    _base: Any = None  # the tensor this one is a view of, for differentiable views
    _view_of: Any = None  # how a differentiable view was made, to make its node anew after an in-place write
    _views: Any = None  # weak references to views taken before this requires grad
    _accumulator: Any = None  # the edge to the AccumulateGrad node of a leaf
    _retains: bool = False
    _inference: bool = False
    _data_alias: bool = False  # made by `.data`: writes do not count as versions

    if TYPE_CHECKING:  # what `Tensor` adds, most of it entered from operators/ at run time

        def __getattr__(self, name: str) -> Any: ...

        def __getitem__(self, index: Any) -> Any: ...

        def _one(self) -> Any: ...

        def _two(self, other: Any) -> Any: ...

        __neg__ = __pos__ = __abs__ = __invert__ = _one
        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _two
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = _two
        __and__ = __or__ = __xor__ = __lshift__ = __rshift__ = __rand__ = __ror__ = __rxor__ = _two
        __lt__ = __le__ = __gt__ = __ge__ = _two
        __eq__ = __ne__ = _two

    @property
    def _storage(self) -> Storage:
        cell = self._cell
        return cell.storage if type(cell) is View else cell  # type: ignore[return-value]


#: The class of the tensors that operators return; tensor.py sets it to Tensor.
class Classes:
    tensor: type = Handle
    #: What is done to each new result while some thread is in inference mode; None, and so nearly free, otherwise.
    mark: Any = None


_new = object.__new__


def wrap(cell: Storage | View, spec: Spec) -> Any:
    """A tensor on ``cell`` that is not part of any graph."""
    made: Any = _new(Classes.tensor)
    made._cell = cell
    made._spec = spec
    made._tracked = False
    made._node = None
    made._slot = 0
    return made
