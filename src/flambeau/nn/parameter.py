"""Tensors that a module owns: parameters, buffers, and those whose shape is not known yet."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from .. import operators
from ..tensor import Tensor, _TensorMeta
from ..tensor_memory import own_attributes

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "UninitializedTensorMixin",
    "is_lazy",
    "new_parameter",
]


def _is_exact_tensor(value: Any) -> bool:
    return type(value) is Tensor


class _ParameterKind(_TensorMeta):
    # A tensor subclass wrapped in Parameter stays what it is and carries only a mark, so isinstance must look at that.
    def __instancecheck__(cls, instance: Any) -> bool:
        if cls is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False):
            return True
        return super().__instancecheck__(instance)


class Parameter(Tensor, metaclass=_ParameterKind):
    """A tensor that a module counts among its parameters when it is assigned as an attribute.

    It shares the memory of ``data`` and requires a gradient unless ``requires_grad=False``.

    Raises:
        RuntimeError: when ``data`` is of an integer or boolean dtype and ``requires_grad`` is true.

    >>> import flambeau as torch
    >>> torch.nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        if data is None:
            data = operators.empty(0)
        elif requires_grad and isinstance(data, Tensor) and not (data.dtype.is_floating_point or data.dtype.is_complex):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        if _is_exact_tensor(data) or type(data) is Parameter:
            return Tensor._make_subclass(cls, data, requires_grad)
        marked = data.detach().requires_grad_(requires_grad)
        if type(marked) is not type(data):
            raise RuntimeError(
                f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns "
                f"an instance of the same type, but return type {type(marked).__name__} was found instead. To use the "
                "type as a Parameter, please correct the detach() semantics defined by its __torch_dispatch__() "
                "implementation."
            )
        marked._is_param = True
        return marked

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        known = memo.get(id(self))
        if known is not None:
            return known
        result = type(self)(self.data.clone(), self.requires_grad)
        memo[id(self)] = result
        return result

    # The type checker takes the parameters of double-underscore methods for nameless.
    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__(tensor_contents=tensor_contents)  # type: ignore[call-arg]

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Hooks are not saved; the empty mapping keeps the format of PyTorch's files.
        hooks: OrderedDict[Any, Any] = OrderedDict()
        state = own_attributes(self)
        if not state:
            return (rebuild_parameter, (self.data, self.requires_grad, hooks))
        return (rebuild_parameter_with_state, (self.data, self.requires_grad, hooks, state))


def rebuild_parameter(data: Any, requires_grad: bool, backward_hooks: Any) -> Parameter:
    """Make a parameter from what a pickle holds of it."""
    parameter = Parameter(data, requires_grad)
    parameter._backward_hooks = backward_hooks
    return parameter


def rebuild_parameter_with_state(data: Any, requires_grad: bool, backward_hooks: Any, state: Any) -> Parameter:
    """Make a parameter that carried attributes of its own."""
    parameter = rebuild_parameter(data, requires_grad, backward_hooks)
    for own in state if isinstance(state, tuple) else (state,):
        for name, value in (own or {}).items():
            setattr(parameter, name, value)
    return parameter


class _BufferKind(_TensorMeta):
    def __instancecheck__(cls, instance: Any) -> bool:
        if cls is Buffer and isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False):
            return True
        return super().__instancecheck__(instance)


class Buffer(Tensor, metaclass=_BufferKind):
    """A tensor that a module counts among its buffers when it is assigned as an attribute.

    The result is ``data`` seen anew (same memory, same class) with a mark; ``persistent=False`` leaves it out of the
    state dictionary.

    >>> import flambeau as torch
    >>> isinstance(torch.nn.Buffer(torch.ones(2)), torch.nn.Buffer)
    True
    """

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        if data is None:
            data = operators.empty(0)
        marked = data.detach().requires_grad_(data.requires_grad)
        marked.persistent = persistent
        marked._is_buffer = True
        return marked


def new_parameter(shape: Any, device: Any = None, dtype: Any = None) -> Parameter:
    """A parameter without values yet."""
    return Parameter(operators.empty(shape, device=device, dtype=dtype))


_NO_SHAPE = (
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
    "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` to "
    "initialize the parameters before accessing their attributes."
)

_NO_SHARING = (
    "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before "
    "calling `module.share_memory()`."
)


class UninitializedTensorMixin:
    """What parameters and buffers without a shape have in common: a dtype, a device, and :meth:`materialize`.

    They have no values: asking for the memory, which every operator does, is refused.
    """

    cls_to_become: Any = None

    @property
    def _cell(self) -> Any:
        raise ValueError(
            "Attempted to use an uninitialized parameter in an operator. This error happens when you are using a "
            f"`LazyModule` or explicitly manipulating `torch.nn.parameter.{type(self).__name__}` objects. When using "
            "LazyModules Call `forward` with a dummy batch to initialize the parameters before calling torch functions"
        )

    # Kept where it is found once the class has changed.
    @_cell.setter
    def _cell(self, cell: Any) -> None:
        self.__dict__["_cell"] = cell

    @property
    def data(self: Any) -> Any:
        """An empty tensor of this dtype on this device; assigning one changes both."""
        return operators.empty(0, dtype=self.dtype, device=self.device)

    @data.setter
    def data(self: Any, value: Any) -> None:
        _set_data(self, value)

    def materialize(self: Any, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Give the tensor its shape, in place; its values are whatever the memory holds."""
        self.data = operators.empty(tuple(shape), dtype=dtype or self.dtype, device=device or self.device)
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        raise RuntimeError(_NO_SHAPE)

    def share_memory_(self) -> Any:
        raise RuntimeError(_NO_SHARING)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:
        known = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = type(self)(*self._arguments())
        return known

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        return (type(self), self._arguments())

    def _arguments(self: Any) -> tuple[Any, ...]:
        return (self.requires_grad, self.device, self.dtype)


_set_data: Any = Tensor.data.fset  # type: ignore[attr-defined]


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A parameter whose shape is found when its lazy module first sees an input.

    >>> import flambeau as torch
    >>> torch.nn.UninitializedParameter()
    <UninitializedParameter>
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return Tensor._make_subclass(cls, operators.empty(0, dtype=dtype, device=device), requires_grad)


class UninitializedBuffer(UninitializedTensorMixin, Tensor):  # type: ignore[misc]
    """A buffer whose shape is found when its lazy module first sees an input.

    >>> import flambeau as torch
    >>> torch.nn.UninitializedBuffer()
    <UninitializedBuffer>
    """

    cls_to_become = Tensor

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Any:
        result = Tensor._make_subclass(cls, operators.empty(0, dtype=dtype, device=device), requires_grad)
        result.persistent = persistent
        result._is_buffer = True
        return result

    def _arguments(self) -> tuple[Any, ...]:
        return (*super()._arguments(), self.persistent)


def is_lazy(value: Any) -> bool:
    """Whether ``value`` is a parameter or buffer that has no shape yet."""
    return isinstance(value, UninitializedTensorMixin)
