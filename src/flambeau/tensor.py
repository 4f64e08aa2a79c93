"""``Tensor``: what users hold. Its methods come from ``operators/``; here are the attributes, the ways out of the engine
(``item``, ``numpy`` …) and Python's protocols.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .autograd import engine, hooks
from .autograd.grad_mode import mode
from .autograd.tape import edge_of
from .autograd.views import current_node
from .core.devices import device
from .core.dtypes import COMPLEX, FLOATING, dtype
from .core.memory_formats import layout, strided
from .core.names import scalar_name, type_name
from .core.sizes import Size
from .core.specs import Spec
from .core.storages import View
from .operators import (
    all_families,  # noqa: F401  (declares every operator)
    creation,
    views,
)
from .operators.declaration import functions, methods
from .operators.fast_calls import symbol_form
from .operators.legacy_types import legacy_tensor
from .tensor_memory import Memory
from .tracing.handles import Classes, Handle, wrap
from .tracing.recorder import array_of, synchronize


class _TensorMeta(type):
    """``isinstance(t, FloatTensor)`` and the like; see ``legacy_types``. Classes print under PyTorch's names."""

    def __repr__(cls) -> str:
        module = {"flambeau.tensor": "torch", "flambeau.nn.parameter": "torch.nn.parameter"}.get(cls.__module__)
        return super().__repr__() if module is None else f"<class '{module}.{cls.__qualname__}'>"


#: dtypes as messages about gradients spell them.
_SPOKEN = {"float32": "float", "float64": "double", "int64": "long int", "float16": "c10::Half", "bfloat16": "c10::BFloat16"}


class Tensor(Memory, metaclass=_TensorMeta):
    """A multi-dimensional array of numbers of one dtype, with gradients.

    Made by ``flambeau.tensor`` and the other creation functions; ``Tensor(2, 3)`` is uninitialised memory and
    ``Tensor([1, 2])`` holds data, both of the default dtype.

    >>> import flambeau as torch
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]]); (x @ x).sum()
    tensor(54.)
    """

    __array_priority__ = 1000
    _post_accumulate_hooks: Any = None
    is_sparse = is_quantized = is_mkldnn = is_cuda = is_mps = is_xpu = is_nested = is_sparse_csr = is_meta = False
    is_cpu = True
    names_: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from .core.dtypes import get_default_dtype

        made = legacy_tensor(get_default_dtype(), args, kwargs, "torch.Tensor", any_dtype=True)
        return made if cls is Tensor else made.as_subclass(cls)

    def as_subclass(self, cls: type) -> Any:
        """The same tensor as an instance of a subclass; of one that requires grad, a view.

        >>> import flambeau as torch
        >>> class Mine(torch.Tensor): pass
        >>> torch.ones(1, requires_grad=True).as_subclass(Mine)
        Mine([1.], grad_fn=<AliasBackward0>)
        """
        made: Any = object.__new__(cls)
        made.__dict__.update((views.alias_of(self) if self._tracked and mode.enabled else self).__dict__)
        return made

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return self._spec.shape

    @property
    def dtype(self) -> dtype:
        """The type of the elements."""
        return self._spec.dtype

    @property
    def device(self) -> device:
        """Where the memory lies."""
        return self._spec.device

    @property
    def layout(self) -> layout:
        """How elements are stored: always strided."""
        return strided

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._spec.ndim

    @property
    def itemsize(self) -> int:
        """Bytes an element takes."""
        return self._spec.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes all elements take."""
        return self._spec.nbytes

    def dim(self) -> int:
        """The number of dimensions."""
        return self._spec.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self._spec.numel

    nelement = numel

    def element_size(self) -> int:
        """Bytes an element takes."""
        return self._spec.dtype.itemsize

    def storage_offset(self) -> int:
        """Where the first element lies in the storage, in elements."""
        cell = self._cell
        return cell.offset if type(cell) is View else 0

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one."""
        return self._spec.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the dtype is a complex one."""
        return self._spec.dtype.is_complex

    def is_signed(self) -> bool:
        """Whether the dtype has negative numbers."""
        return self._spec.dtype.is_signed

    def get_device(self) -> int:
        """The index of the device; -1 for the CPU."""
        return -1 if self._spec.device.index is None else self._spec.device.index

    def is_inference(self) -> bool:
        """Whether it was made in inference mode."""
        return self._inference

    def data_ptr(self) -> int:
        """The address of the first element. A sync point; stable for the life of the storage."""
        array = array_of(self._cell)
        return int(array.__array_interface__["data"][0]) if self._spec.numel else 0

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The name of the tensor's type, or the tensor converted to another one."""
        if dtype is None:
            return type_name(self._spec.dtype)
        from .operators.legacy_types import dtype_of_type

        return self.to(dtype_of_type(dtype))

    # -- gradients ----------------------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients with respect to this tensor are (or can be) computed."""
        return self._tracked

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Ask for gradients with respect to this tensor, from here on.

        Raises:
            RuntimeError: the dtype is neither floating nor complex, or a non-leaf is asked to forget its history.
        """
        if self._node is not None:
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
                    "subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
            return self
        if requires_grad and self._spec.dtype.category < FLOATING:
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        if requires_grad and self._inference and not mode.inference:
            raise RuntimeError(
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
            )
        self._tracked = bool(requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user rather than by an operator on tensors that require grad."""
        return not self._tracked or self._node is None

    @property
    def grad_fn(self) -> Any:
        """The node of the graph that made this tensor; None for a leaf."""
        return self._node if self._base is None else current_node(self)

    @property
    def output_nr(self) -> int:
        """Which result of ``grad_fn`` this is."""
        return self._slot

    @property
    def grad(self) -> Any:
        """The gradient accumulated by ``backward``; None before the first."""
        if self._grad is None and self._node is not None and not self._retains:
            import warnings

            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
                "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
                "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
                "you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more informations.",
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if getattr(value, "is_sparse", False) and value.shape == self._spec.shape:  # what SparseAdam and Adagrad update by
            self._grad = value
            return
        if value is not None:
            if not isinstance(value, Handle):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            if value._spec.dtype is not self._spec.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{_SPOKEN.get(value._spec.dtype.name, value._spec.dtype.name)}' to "
                    f"a tensor with grad_dtype '{scalar_name(self._spec.dtype)}'. The gradient must match the tensor's grad_dtype "
                    "(defaults to the tensor's dtype)."
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._spec.shape != self._spec.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value._spec.shape)}' to a tensor of size "
                    f"'{list(self._spec.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def retains_grad(self) -> bool:
        """Whether a non-leaf keeps its gradient."""
        return self._retains

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf in ``grad`` during backward."""
        if not self._tracked:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._node is None or self._retains:
            return
        node = self.grad_fn
        node.retained, node.watched = {**(node.retained or {}), self._slot: weakref.ref(self)}, True
        self._retains = True

    def register_hook(self, hook: Callable[[Any], Any]) -> Any:
        """Call ``hook(grad)`` when this tensor's gradient is known; what it returns, if anything, replaces it.

        Raises:
            RuntimeError: the tensor does not require grad.
        """
        if not self._tracked:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        node, slot = edge_of(self)  # type: ignore[misc]
        table = node.tensor_hooks or {}
        table[slot], handle = hooks.add(table.get(slot), hook)
        node.tensor_hooks, node.watched = table, True
        return handle

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], Any]) -> Any:
        """Call ``hook(tensor)`` after a gradient has been accumulated into this leaf."""
        if not self._tracked:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._node is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        self._post_accumulate_hooks, handle = hooks.add(self._post_accumulate_hooks, hook)
        return handle

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Accumulate gradients of this tensor into the leaves it was made from. See ``flambeau.autograd.backward``.

        >>> import flambeau as torch
        >>> w = torch.tensor(2.0, requires_grad=True); (w * w).backward(); w.grad
        tensor(4.)
        """
        engine.backward((self,), gradient, retain_graph, create_graph, inputs=inputs)

    def detach_(self) -> Any:
        """Take this tensor out of the graph."""
        if self._base is not None and self._tracked:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and "
                "gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called "
                "on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
                "torch/optim/optimizer.py as the solution."
            )
        self._node, self._tracked, self._slot = None, False, 0
        return self

    @property
    def data(self) -> Any:
        """The same memory without history; writes to it are not counted as versions."""
        made = wrap(self._cell, self._spec)
        made._data_alias = True
        return made

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Handle):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self._cell, self._spec = value._cell, value._spec

    @property
    def _version(self) -> int:
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._cell.version

    def _is_view(self) -> bool:
        return self._base is not None

    def _with_layout(self, wanted: Spec) -> Any:
        """The same numbers with the strides of ``wanted``, which is dense."""
        made = creation.empty_layout(wanted)
        made.copy_(self)
        return made

    @staticmethod
    def zeros(of: Spec) -> Any:
        """Zeros of a Spec's shape and dtype; for the tape."""
        return creation.filled(tuple(of.shape), 0, of.dtype)

    @staticmethod
    def ones(of: Spec) -> Any:
        """Ones of a Spec's shape and dtype; for the tape."""
        return creation.filled(tuple(of.shape), 1.0, of.dtype)

    def stack_with(self, others: Any) -> Any:
        """This tensor and others along a new first dimension; for the tape."""
        return functions["stack"]((self, *others))

    # -- ways out of the engine ---------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The only element, as a Python number. A sync point.

        Raises:
            RuntimeError: there is not exactly one element.
        """
        if self._spec.numel != 1:
            raise RuntimeError(f"a Tensor with {self._spec.numel} elements cannot be converted to Scalar")
        array = array_of(self._cell)
        found = array.item() if array.ndim == 0 else array.reshape(-1)[0].item()
        return found if type(found) in (float, int, bool, complex) else float(found)

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers. A sync point."""
        array = array_of(self._cell)
        if array.dtype.kind not in "biufc":
            array = array.astype(np.float32)
        return array.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """A NumPy array on the same memory: writes on either side are seen on the other.

        Raises:
            RuntimeError: the tensor requires grad (call ``detach()`` first), unless ``force``.
            TypeError: NumPy has no such dtype.
        """
        if self._tracked and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self._spec.dtype.numpy.isbuiltin != 1:
            from .core.names import scalar_name

            raise TypeError(f"Got unsupported ScalarType {scalar_name(self._spec.dtype)}")
        synchronize()  # calls recorded earlier read this memory as it is now, before NumPy may change it
        array = array_of(self._cell)
        storage = self._storage
        storage.exposed = True
        return array.view()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        array = np.asarray(array)
        return creation.from_array(array.astype(np.uint8) if array.dtype == bool else array)

    def __bool__(self) -> bool:
        if self._spec.numel != 1:
            raise RuntimeError(
                "Boolean value of Tensor with no values is ambiguous" if not self._spec.numel
                else "Boolean value of Tensor with more than one value is ambiguous"
            )  # fmt: skip
        return bool(self.item())

    def is_nonzero(self) -> bool:
        """Whether the only element is not zero."""
        return self.__bool__()

    def __int__(self) -> int:
        return int(self._scalar())

    def __float__(self) -> float:
        return float(self._scalar())

    def __complex__(self) -> Any:
        return complex(self._scalar(real=False))

    def _scalar(self, real: bool = True) -> Any:
        if self._spec.numel != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        found = self.item()
        if real and type(found) is complex:
            if found.imag:
                raise RuntimeError("value cannot be converted to type double without overflow")
            return found.real
        return found

    def __index__(self) -> int:
        if self._spec.numel != 1 or self._spec.dtype.category >= FLOATING:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __len__(self) -> int:
        if not self._spec.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._spec.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self._spec.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter([views.selected(self, 0, k) for k in range(self._spec.shape[0])])

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (Handle, int, float, bool, complex)):
            return bool((self == element).any())
        raise RuntimeError(
            f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
        )

    def __reversed__(self) -> Any:
        return self.flip(0) if self._spec.ndim else self

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        from .printing import tensor_text

        node, place = self.grad_fn, self._spec.device
        return tensor_text(
            None if place.type == "meta" else array_of(self._cell),
            self._spec.dtype,
            shape=tuple(self._spec.shape),
            device=None if place.type == "cpu" else str(place),
            grad_fn=None if node is None else node.name(),
            requires_grad=self._tracked,
            prefix="tensor(" if type(self).__name__ in ("Tensor", "Parameter") else f"{type(self).__name__}(",
            contents=tensor_contents,
        )

    def __format__(self, how: str) -> str:
        if self._spec.ndim == 0 and type(self) is Tensor:
            return self.item().__format__(how)
        return object.__format__(self, how)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self)})

    # -- devices ------------------------------------------------------------------------------------------------------

    def cpu(self, memory_format: Any = None) -> Any:
        """This tensor on the CPU: itself."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> Any:
        """This tensor on a CUDA device; an error, there is none."""
        return self.to("cuda")

    def pin_memory(self, device: Any = None) -> Any:
        """Page-locked memory; on the CPU the tensor itself."""
        return self

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is page-locked."""
        return False

    @property
    def T(self) -> Any:
        """The dimensions in reverse order."""
        return self.permute(tuple(range(self._spec.ndim - 1, -1, -1)))

    @property
    def mT(self) -> Any:
        """The last two dimensions exchanged."""
        if self._spec.ndim < 2:
            raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {self._spec.ndim}-D tensor.")
        return self.transpose(-2, -1)

    @property
    def H(self) -> Any:
        """The conjugate transpose of a matrix."""
        if self._spec.ndim not in (0, 2):
            raise RuntimeError(
                "tensor.H is only supported on matrices (2-D tensors). Got "
                f"{self._spec.ndim}-D tensor.For batches of matrices, consider using tensor.mH"
            )
        turned = self.transpose(0, 1) if self._spec.ndim else self
        return turned.conj() if self._spec.dtype.category == COMPLEX else turned

    @property
    def mH(self) -> Any:
        """The last two dimensions exchanged, conjugated."""
        turned = self.mT
        return turned.conj() if self._spec.dtype.category == COMPLEX else turned

    @property
    def real(self) -> Any:
        """The real part, a view."""
        return views.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        views.real(self).copy_(value if isinstance(value, Handle) else creation.tensor(value))

    @property
    def imag(self) -> Any:
        """The imaginary part, a view."""
        return views.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        views.imag(self).copy_(value if isinstance(value, Handle) else creation.tensor(value))


def _install_methods() -> None:
    """Give Tensor the declared operators as methods and Python operators."""
    for name, function in methods.items():
        if name not in Tensor.__dict__:
            setattr(Tensor, name, function)
    symbols = {
        "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder",
        "pow": "pow", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
        "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift", "eq": "eq", "ne": "ne", "lt": "lt", "le": "le",
        "gt": "gt", "ge": "ge",
    }  # fmt: skip
    comparisons = ("eq", "ne", "lt", "le", "gt", "ge")
    for symbol, name in symbols.items():
        function = methods[name] if name != "matmul" else _product
        convert = _comparand if symbol in ("eq", "ne") else _operand
        setattr(Tensor, f"__{symbol}__", symbol_form(function, convert))
        if symbol not in comparisons:
            commutes = name in ("add", "mul", "bitwise_and", "bitwise_or", "bitwise_xor")
            reflected = symbol_form(function, _operand) if commutes else _reflected(function)
            if name == "sub":
                reflected = symbol_form(functions["rsub"], _operand)
            elif name == "div":
                reflected = Tensor.__rdiv__ = _times_reciprocal  # type: ignore[attr-defined]
            setattr(Tensor, f"__r{symbol}__", reflected)
            if name + "_" in methods:
                setattr(Tensor, f"__i{symbol}__", _in_place_symbol(methods[name + "_"]))
    for symbol, name in {"neg": "neg", "pos": "positive", "abs": "abs"}.items():
        setattr(Tensor, f"__{symbol}__", methods[name])
    Tensor.__invert__ = _inverted
    Tensor.__hash__ = Handle.__hash__  # type: ignore[method-assign]


def _product(self: Any, other: Any) -> Any:
    """The matrix product of two tensors; numbers have none."""
    return methods["matmul"](self, other) if isinstance(other, Handle) and isinstance(self, Handle) else NotImplemented


def _inverted(self: Any) -> Any:
    """Every bit turned."""
    if self._spec.dtype.category >= FLOATING:
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return methods["bitwise_not"](self)


def _operand(other: Any) -> Any:
    """A NumPy scalar on the other side of a Python operator as a number; None for anything else.

    Arrays are left to NumPy, as PyTorch leaves them: ``tensor + array`` is NumPy's sum as a tensor.
    """
    return other.item() if isinstance(other, np.generic) else None


def _comparand(other: Any) -> Any:
    """What ``==`` and ``!=`` take besides: arrays, which NumPy would not compare with a tensor."""
    return creation.numpy_tensor(other) if isinstance(other, np.ndarray) else _operand(other)


def _times_reciprocal(self: Any, other: Any) -> Any:
    """other/self as PyTorch computes it."""
    return self.reciprocal() * other


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    def symbol(self: Any, other: Any) -> Any:
        if not isinstance(other, (Handle, int, float, bool, complex)):
            other = _operand(other)
            if other is None:
                return NotImplemented
        return function(other, self)

    return symbol


def _in_place_symbol(function: Callable[..., Any]) -> Callable[..., Any]:
    def symbol(self: Any, other: Any) -> Any:
        if not isinstance(other, (Handle, int, float, bool, complex)):
            other = _operand(other)
            if other is None:
                return NotImplemented
        return function(self, other)

    return symbol


Classes.tensor = Tensor
_install_methods()
__all__ = ["Tensor"]
