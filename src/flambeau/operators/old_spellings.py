"""What programs written for earlier versions of PyTorch call: other names, retired functions, element-wise Python loops."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..core.dtypes import FLOATING, float64, int64, uint64
from .declaration import composite, functions, methods
from .legacy_types import legacy_tensor


def _method(function: Any) -> Any:
    methods[function.__name__] = function
    return function


# -- copies and views under other names --------------------------------------------------------------------------------


@composite()
def unsafe_chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """:func:`chunk` whose results may be written to as if they shared no memory."""
    return tuple(functions["chunk"](input, chunks, dim))


@composite()
def unsafe_split(input: Any, split_size: int, dim: int = 0) -> tuple[Any, ...]:
    """:func:`split` whose results may be written to as if they shared no memory."""
    return tuple(functions["split"](input, split_size, dim))


@composite()
def unsafe_split_with_sizes(input: Any, split_sizes: Any, dim: int = 0) -> tuple[Any, ...]:
    """:func:`split_with_sizes` whose results may be written to as if they shared no memory."""
    return tuple(functions["split"](input, list(split_sizes), dim))


@composite()
def narrow_copy(input: Any, dim: int, start: int, length: int) -> Any:
    """:func:`narrow` as a copy."""
    return functions["narrow"](input, dim, start, length).clone()


@_method
def slice_inverse(self: Any, src: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    """The tensor of ``src``'s layout of which this one is a slice."""
    return self.as_strided(src.shape, src.stride(), src.storage_offset())


@_method
def resize(self: Any, *sizes: Any) -> Any:
    """A view of another shape with as many elements. Deprecated: use ``reshape``."""
    warnings.warn("non-inplace resize is deprecated", stacklevel=2)
    return self.reshape(*sizes)


@_method
def resize_as(self: Any, tensor: Any) -> Any:
    """A view of the shape of ``tensor``. Deprecated: use ``reshape_as``."""
    warnings.warn("non-inplace resize_as is deprecated", stacklevel=2)
    return self.reshape(tensor.shape)


@_method
def new(self: Any, *args: Any, **kwargs: Any) -> Any:
    """A tensor of this dtype: empty, of the sizes given, or of the numbers in a sequence."""
    return legacy_tensor(self.dtype, args, kwargs, "new")


@_method
def to_dense(self: Any, dtype: Any = None, *, masked_grad: bool | None = None) -> Any:
    """The tensor itself, which is dense, in another dtype where one is named."""
    return self if dtype is None else self.to(dtype)


@_method
def dense_dim(self: Any) -> int:
    """The number of dense dimensions: all."""
    return int(self.dim())


@_method
def dim_order(self: Any, ambiguity_check: Any = False) -> tuple[int, ...]:
    """Dimensions from the outermost in memory to the innermost."""
    return tuple(sorted(range(self.dim()), key=lambda axis: -self.stride(axis)))


@_method
def const_data_ptr(self: Any) -> int:
    """The address of the first element."""
    return int(self.data_ptr())


@_method
def is_distributed(self: Any) -> bool:
    """Whether the tensor is spread over processes: never."""
    return False


@_method
def module_load(self: Any, other: Any, assign: bool = False) -> Any:
    """What ``load_state_dict`` puts in place of this tensor: ``other``, or this one with the numbers of ``other``."""
    if assign:
        return other if type(other) is type(self) else other.detach()
    return self.detach().copy_(other)


@_method
def record_stream(self: Any, stream: Any) -> None:
    """Say that a stream uses the memory; on the CPU memory lives as long as somebody holds it."""
    if stream is None or not hasattr(stream, "synchronize"):
        raise RuntimeError(f"record_stream: expected a stream, but got {type(stream).__name__}")


methods["is_xla"] = property(lambda self: False, doc="Whether the memory lies on a TPU.")
methods["name"] = property(lambda self: None, doc="The name of the tensor; it has none.")
methods["grad_dtype"] = property(lambda self: self.dtype, doc="The dtype of the gradient.")


def _volatile(self: Any) -> bool:
    """Always False; ``no_grad`` has taken its place."""
    warnings.warn("volatile was removed (Variable.volatile is always False)", stacklevel=2)
    return False


methods["volatile"] = property(_volatile)

# -- Python 2's names --------------------------------------------------------------------------------------------------


@_method
def __div__(self: Any, other: Any) -> Any:
    return self / other


@_method
def __idiv__(self: Any, other: Any) -> Any:
    return self.div_(other)


@_method
def __long__(self: Any) -> int:
    return int(self)


@_method
def __nonzero__(self: Any) -> bool:
    return bool(self)


@_method
def __delitem__(self: Any, index: Any) -> None:
    raise TypeError("Tensor does not support deleting items")


# -- Python functions, element by element ------------------------------------------------------------------------------


def _element_by_element(name: str, self: Any, others: tuple[Any, ...], function: Callable[..., Any]) -> Any:
    if self.requires_grad or any(each.requires_grad for each in others):
        raise RuntimeError(
            f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
        )
    columns = [each.expand(self.shape).reshape((-1,)).tolist() for each in (self, *others)]
    found = [function(*each) for each in zip(*columns)]
    return self.copy_(functions["tensor"](found, dtype=self.dtype).reshape(self.shape))


@_method
def apply_(self: Any, callable: Callable[[Any], Any]) -> Any:
    """Replace each element by ``callable(element)``, in Python.

    >>> import flambeau as torch
    >>> torch.tensor([1.0, 2.0]).apply_(lambda x: x + 1)
    tensor([2., 3.])
    """
    return _element_by_element("apply_", self, (), callable)


@_method
def map_(self: Any, tensor: Any, callable: Callable[[Any, Any], Any]) -> Any:
    """Replace each element by ``callable(element, element of tensor)``, in Python."""
    return _element_by_element("map_", self, (tensor,), callable)


@_method
def map2_(self: Any, x: Any, y: Any, callable: Callable[[Any, Any, Any], Any]) -> Any:
    """Replace each element by ``callable(element, element of x, element of y)``, in Python."""
    return _element_by_element("map2_", self, (x, y), callable)


# -- hashes ------------------------------------------------------------------------------------------------------------


@composite()
def hash_tensor(input: Any, dim: Any = (), *, keepdim: bool = False, mode: int = 0) -> Any:
    """The exclusive or of the elements' bits (of floats in float64, of integers in int64) over ``dim``; uint64.

    >>> import flambeau as torch
    >>> torch.hash_tensor(torch.tensor([1, 2, 5]))
    tensor(6, dtype=torch.uint64)
    """
    if mode != 0:
        raise RuntimeError(f"hash_tensor: unknown mode {mode}; 0 is the exclusive or of all elements")
    bits = input.detach()
    bits = bits.to(float64).view(int64) if input.dtype.category >= FLOATING else bits.to(int64)
    axes = [axis % max(input.dim(), 1) for axis in ((dim,) if isinstance(dim, int) else dim)] or list(range(input.dim()))
    rest = [axis for axis in range(input.dim()) if axis not in axes]
    bits = bits.permute((*axes, *rest)).reshape((-1, *[input.shape[axis] for axis in rest]))
    while bits.shape[0] > 1:
        half = bits.shape[0] // 2
        folded = bits[:half] ^ bits[half : 2 * half]
        bits = functions["cat"]((folded, bits[2 * half :])) if bits.shape[0] % 2 else folded
    result = bits[0] if bits.shape[0] else bits.new_zeros(bits.shape[1:])
    if keepdim:
        result = result.reshape([1 if axis in axes else size for axis, size in enumerate(input.shape)])
    return result.view(uint64)


# -- what sparse tensors have ------------------------------------------------------------------------------------------


def _sparse_only(name: str, message: str) -> None:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(message)

    method.__name__, method.__doc__ = name, "For sparse tensors; raises RuntimeError."
    methods[name] = method


_sparse_only("indices", "indices expected sparse coordinate tensor layout but got Strided")
_sparse_only("values", "values expected sparse tensor layout but got Strided")
_sparse_only("smm", "tensor.smm(...) can only be called on sparse tensors")
_sparse_only("sspaddmm", "tensor.sspaddmm(...) can only be called on sparse tensors")

# -- removed -----------------------------------------------------------------------------------------------------------

_REMOVED = {
    "eig": "`torch.linalg.eig` returns complex tensors. Use torch.linalg.eig(A), or torch.linalg.eigvals(A).",
    "lstsq": "Use torch.linalg.lstsq(A, B), whose arguments are in the other order, and torch.linalg.qr for the factors.",
    "solve": "Use torch.linalg.solve(A, B), whose arguments are in the other order, and torch.linalg.lu_factor for the factors.",
    "symeig": "Use torch.linalg.eigh(A, UPLO='U' if upper else 'L'), or torch.linalg.eigvalsh.",
}


def _removed(name: str, remedy: str) -> None:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"This function was deprecated since version 1.9 and is now removed. {remedy}")

    method.__name__, method.__doc__ = name, "Removed from PyTorch; raises RuntimeError, which names the successor."
    methods[name] = method


for _name, _remedy in _REMOVED.items():
    _removed(_name, _remedy)


@_method
def reinforce(self: Any, reward: Any) -> None:
    """Removed from PyTorch; raises RuntimeError, which names the successor."""
    raise RuntimeError(
        "reinforce() was removed.\nUse torch.distributions instead: sample from a distribution m and minimise "
        "-m.log_prob(action) * reward."
    )
