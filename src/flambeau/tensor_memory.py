"""The part of ``Tensor`` that deals with its memory as such: storages, copying, pickling, sharing with processes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from .core.devices import meta
from .core.storages import Storage, View, window
from .rebuilding import (
    ENGINE_ATTRIBUTES,
    rebuild_from_type,
    reduce_tensor,
    restore_attributes,
)
from .storage import TypedStorage, UntypedStorage, __getattr__ as _legacy_storage, legacy_name
from .tracing.handles import Classes, Handle


def own_attributes(tensor: Any) -> dict[str, Any]:
    """The attributes that the user has set on a tensor."""
    return {name: value for name, value in tensor.__dict__.items() if name not in ENGINE_ATTRIBUTES}


class Memory(Handle):
    """Methods of ``Tensor`` for its storage, for ``copy`` and for ``pickle``."""

    def untyped_storage(self) -> UntypedStorage:
        """The memory behind the tensor, as bytes; tensors that share memory have the same one."""
        return UntypedStorage.of(self._cell)

    def _typed_storage(self) -> TypedStorage:
        return TypedStorage(wrap_storage=self.untyped_storage(), dtype=self._spec.dtype)

    def storage(self) -> TypedStorage:
        """The memory behind the tensor, as elements of its dtype. Old programs use it; see :meth:`untyped_storage`."""
        import warnings

        warnings.warn(
            "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage "
            "class. This should only matter to you if you are using storages directly.  To access UntypedStorage "
            "directly, use tensor.untyped_storage() instead of tensor.storage()",
            stacklevel=2,
        )
        return self._typed_storage()

    def storage_type(self) -> Any:
        """The class of :meth:`storage`: ``FloatStorage``."""
        return _legacy_storage(legacy_name(self._spec.dtype))

    def is_set_to(self, tensor: Any) -> bool:
        """Whether both tensors show the same memory in the same way."""
        mine, other = self._cell, tensor._cell
        offsets = [cell.offset if type(cell) is View else 0 for cell in (mine, other)]
        return self._storage is tensor._storage and self._spec is tensor._spec and offsets[0] == offsets[1]

    def share_memory_(self) -> Any:
        """Move the memory to where processes forked from this one share it; all views move along."""
        self.untyped_storage().share_memory_()
        return self

    def is_shared(self) -> bool:
        """Whether processes forked from this one see the same memory."""
        return self.untyped_storage().is_shared()

    @staticmethod
    def _make_subclass(cls: type, data: Any, require_grad: bool = False, **_: Any) -> Any:
        """A tensor of class ``cls`` on the memory of ``data``, outside any graph."""
        made: Any = object.__new__(cls)
        made._cell, made._spec = data._cell, data._spec
        made._tracked, made._node, made._slot = False, None, 0
        return made.requires_grad_() if require_grad else made

    # -- copy and pickle ----------------------------------------------------------------------------------------------

    def __deepcopy__(self: Any, memo: dict[Any, Any]) -> Any:
        """A copy in memory of its own; tensors that share memory share the copy too.

        Raises:
            RuntimeError: the tensor is not a leaf of the graph.
        """
        known = memo.get(id(self))
        if known is not None:
            return known
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment.  If you were attempting to deepcopy a module, this may be because of a "
                "torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001"
            )
        made = object.__new__(type(self))
        made._spec, made._tracked, made._node, made._slot = self._spec, self._tracked, None, 0
        memo[id(self)] = made
        copies = memo.setdefault(_COPIED_STORAGES, {})
        storage = self._storage
        if storage not in copies:
            copies[storage] = _copied(storage, UntypedStorage.of(storage))
        cell = self._cell
        made._cell = View(copies[storage], cell.spec, cell.offset) if type(cell) is View else copies[storage]
        if self._grad is not None:
            made._grad = deepcopy(self._grad, memo)
        for name, value in own_attributes(self).items():
            setattr(made, name, deepcopy(value, memo))
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        function, arguments = reduce_tensor(self)
        attributes = own_attributes(self)
        if type(self) is Classes.tensor and not attributes:
            return function, arguments
        return rebuild_from_type, (function, type(self), arguments, attributes or None)

    def __setstate__(self, state: Any) -> None:
        restore_attributes(self, state)


_COPIED_STORAGES = "flambeau: copied storages"


def _copied(storage: Storage, face: UntypedStorage) -> Storage:
    made = Storage()
    if storage.spec.device != meta:
        made.array = window(face._memory().copy(), storage.spec, 0)
    made.spec = storage.spec
    return made


__all__ = ["Memory", "own_attributes"]
