"""Products summed over a dimension: matrix multiplication and its relatives, ``einsum``, ``tensordot``.

``mm``, ``bmm`` and ``linear`` are the operators; everything else reshapes its operands to one of them.
"""

from __future__ import annotations

from typing import Any

from ..core import strides as _strides
from ..core.dtypes import COMPLEX, bool_
from ..core.names import scalar_name
from ..core.specs import Spec
from ..primitives import contraction as c, memory, reductions as r
from ..primitives.values import Value
from ..tracing.handles import Handle
from .arithmetic import scaled
from .declaration import POINTWISE, composite, operator
from .kinds import Number, Tensor
from .parameters import wrong_type
from .promotion import to, widened
from .views import unsafe_view


def conjugate_transpose(x: Any) -> Any:
    """The last two dimensions exchanged, conjugated when complex."""
    x = x.transpose(-2, -1)
    return x.conj() if x._spec.dtype.category == COMPLEX else x


def conjugate(x: Any) -> Any:
    """The conjugate of a complex tensor; a real one itself."""
    return x.conj() if x._spec.dtype.category == COMPLEX else x


def _same_dtype(name: str, x: Value, y: Value) -> None:
    if x.dtype is not y.dtype:
        raise RuntimeError(
            f"{name}: expected both operands to have the same dtype, but got: {scalar_name(x.dtype).lower()} != "
            f"{scalar_name(y.dtype).lower()}"
        )
    if x.dtype is bool_:
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")


def _transposed(x: Value) -> Value:
    axes = tuple(range(x.ndim))
    return memory.transpose(x, axes=(*axes[:-2], axes[-1], axes[-2]))


@operator(
    {
        "input": lambda grad, mat2: mm(grad, conjugate_transpose(mat2)),
        "mat2": lambda grad, input: mm(conjugate_transpose(input), grad),
    }
)
def mm(input: Tensor, mat2: Tensor) -> Value:
    """The product of two matrices, (n, m) and (m, p).

    >>> import flambeau as torch
    >>> torch.mm(torch.ones(2, 3), torch.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    if input.ndim != 2 or mat2.ndim != 2:
        which = "self" if input.ndim != 2 else "mat2"
        raise RuntimeError(f"mm: {which} must be a matrix")
    if input.shape[1] != mat2.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({input.shape[0]}x{input.shape[1]} and "
            f"{mat2.shape[0]}x{mat2.shape[1]})"
        )
    _same_dtype("mm", input, mat2)
    return c.matrix_multiply(input, mat2)


@operator(
    {
        "input": lambda grad, mat2: bmm(grad, conjugate_transpose(mat2)),
        "mat2": lambda grad, input: bmm(conjugate_transpose(input), grad),
    }
)
def bmm(input: Tensor, mat2: Tensor) -> Value:
    """The products of two batches of matrices, (b, n, m) and (b, m, p).

    >>> import flambeau as torch
    >>> torch.bmm(torch.ones(2, 1, 3), torch.ones(2, 3, 1)).shape
    torch.Size([2, 1, 1])
    """
    if input.ndim != 3 or mat2.ndim != 3:
        which = "batch1" if input.ndim != 3 else "batch2"
        raise RuntimeError(f"{which} must be a 3D tensor")
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.shape[0]}, {input.shape[2]}] but got: "
            f"[{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    _same_dtype("bmm", input, mat2)
    return c.matrix_multiply(input, mat2)


@operator(
    {
        "input": lambda grad, vec: outer(grad, conjugate(vec)),
        "vec": lambda grad, input: mv(conjugate_transpose(input), grad),
    }
)
def mv(input: Tensor, vec: Tensor) -> Value:
    """A matrix (n, m) times a vector (m)."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    if input.shape[1] != vec.shape[0]:
        raise RuntimeError(f"size mismatch, got input ({input.shape[0]}), mat ({input.shape[0]}x{input.shape[1]}), vec ({vec.shape[0]})")
    _same_dtype("addmv_impl_cpu", input, vec)
    column = memory.reshape(vec, shape=(vec.shape[0], 1))
    return memory.reshape(c.matrix_multiply(input, column), shape=(input.shape[0],))


def _inner_product(name: str, x: Value, y: Value) -> Value:
    if x.ndim != 1 or y.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {x.ndim}D and {y.ndim}D tensors")
    if x.dtype is not y.dtype:
        raise RuntimeError(
            f"{name} : expected both vectors to have same dtype, but found {scalar_name(x.dtype)} and {scalar_name(y.dtype)}"
        )
    if x.shape != y.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{x.shape[0]}] and src [{y.shape[0]}] to have the same number of "
            f"elements, but got {x.shape[0]} and {y.shape[0]} elements respectively"
        )
    _same_dtype(name, x, y)
    product = c.matrix_multiply(memory.reshape(x, shape=(1, x.shape[0])), memory.reshape(y, shape=(y.shape[0], 1)))
    return memory.reshape(product, shape=())


@operator(
    {"input": lambda grad, tensor: grad * conjugate(tensor), "tensor": lambda grad, input: grad * conjugate(input)}
)
def dot(input: Tensor, tensor: Tensor) -> Value:
    """The inner product of two vectors.

    >>> import flambeau as torch
    >>> torch.dot(torch.tensor([2, 3]), torch.tensor([2, 1]))
    tensor(7)
    """
    return _inner_product("dot", input, tensor)


@operator({"input": lambda grad, other: grad.conj() * other, "other": lambda grad, input: grad * input})
def vdot(input: Tensor, other: Tensor) -> Value:
    """The inner product of two vectors, the first conjugated."""
    from ..primitives.elementwise import conjugate as conjugate_value

    return _inner_product("vdot", conjugate_value(input) if input.is_complex else input, other)


@composite(aliases=("ger",))
def outer(input: Any, vec2: Any) -> Any:
    """The outer product of two vectors: every element of one times every element of the other.

    >>> import flambeau as torch
    >>> torch.outer(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    for name, each in (("self", input), ("vec2", vec2)):
        if each._spec.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {each._spec.ndim}-D")
    return input.reshape(input._spec.shape[0], 1) * vec2


@composite()
def inner(input: Any, other: Any) -> Any:
    """Inner products over the last dimensions of both."""
    if not input._spec.ndim or not other._spec.ndim:
        return input * other
    if input._spec.shape[-1] != other._spec.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input._spec.shape)} and {list(other._spec.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


@composite()
def matmul(input: Any, other: Any) -> Any:
    """The matrix product; vectors are rows on the left and columns on the right, leading dimensions broadcast.

    Raises:
        RuntimeError: the shapes do not fit, or an operand has no dimensions.

    >>> import flambeau as torch
    >>> torch.matmul(torch.ones(4, 2, 3), torch.ones(3)).shape
    torch.Size([4, 2])
    """
    if not isinstance(input, Handle) or not isinstance(other, Handle):
        place, wrong = (2, other) if isinstance(input, Handle) else (1, input)
        raise wrong_type("matmul", ("input", "other")[place - 1], "Tensor", wrong, place - 1)
    x, y = input._spec, other._spec
    if not x.ndim or not y.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {x.ndim}D and {y.ndim}D"
        )
    if x.ndim == 2:
        if y.ndim == 2:
            return mm(input, other)
        if y.ndim == 1:
            return mv(input, other)
    if x.ndim == 1:
        if y.ndim == 1:
            return dot(input, other)
        if y.ndim == 2:
            return mm(input.unsqueeze(0), other).squeeze_(0)
    rows = y.shape[-2] if y.ndim > 1 else y.shape[0]
    if x.shape[-1] != rows:
        raise _shapes_differ(x, y, rows)
    swapped = y.ndim > x.ndim
    if min(x.ndim, y.ndim) <= 2:
        large, small = (other.transpose(-2, -1), input.t()) if swapped else (input, other)
        if _folds(large, small):
            shape = large._spec.shape
            flat = large.reshape(_rows(large._spec), shape[-1])
            if small._spec.ndim == 1:
                return unsafe_view(mv(flat, small), shape[:-1])
            product = unsafe_view(mm(flat, small), (*shape[:-1], small._spec.shape[1]))
            return product.transpose(-2, -1).contiguous() if swapped else product
    if y.ndim == 1:
        return matmul(input, other.unsqueeze(1)).squeeze(-1)
    if x.ndim == 1:
        return matmul(input.unsqueeze(0), other).squeeze(-2)
    batch = _strides.broadcast(x.shape[:-2], y.shape[:-2])
    count = 1
    for size in batch:
        count *= size
    left = input.expand(*batch, *x.shape[-2:]).reshape(count, *x.shape[-2:])
    right = other.expand(*batch, *y.shape[-2:]).reshape(count, *y.shape[-2:])
    return unsafe_view(bmm(left, right), (*batch, x.shape[-2], y.shape[-1]))


def _folds(large: Any, small: Any) -> bool:
    """Whether the leading dimensions become rows of one matrix: where it costs no copy, or spares expanding for grad."""
    here = large._spec
    if not here.numel or small._tracked:
        return True
    flat = (here.numel // here.shape[-1], here.shape[-1])
    return _strides.view(here.shape, here.strides, flat) is not None


def _shapes_differ(x: Spec, y: Spec, rows: int) -> RuntimeError:
    if y.ndim <= 2:
        count = _rows(x)
        columns = y.shape[-1] if y.ndim == 2 else 1
        if y.ndim == 1:
            return RuntimeError(f"size mismatch, got input ({count}), mat ({count}x{x.shape[-1]}), vec ({rows})")
        return RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({count}x{x.shape[-1]} and {rows}x{columns})")
    return RuntimeError(
        f"Expected size for first two dimensions of batch2 tensor to be: [{y.shape[0]}, {x.shape[-1]}] but got: "
        f"{list(y.shape[-3:-1])}."
    )


def _plus_product(name: str, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """beta·input + alpha·product; an input times zero is not read, so that its NaNs do not matter."""
    kind = product._spec.dtype
    if input._spec.dtype is not kind:
        raise RuntimeError(
            f"{name}: self and the product must have the same dtype, but got {scalar_name(input._spec.dtype)} and "
            f"{scalar_name(kind)}"
        )
    if kind.category < 2:
        beta, alpha = int(beta), int(alpha)
    shape = product._spec.shape
    if input._spec.shape != shape:
        _strides.expand(input._spec.shape, input._spec.strides, shape)
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return product + (input if beta == 1 else input * beta)


@operator(
    {
        "input": lambda grad, beta: scaled(grad, beta),
        "mat1": lambda grad, mat2, alpha: scaled(mm(grad, conjugate_transpose(mat2)), alpha),
        "mat2": lambda grad, mat1, alpha: scaled(mm(conjugate_transpose(mat1), grad), alpha),
    },
    name="addmm", function=False, method=False,
)  # fmt: skip
def _addmm(input: Tensor, mat1: Tensor, mat2: Tensor, beta: Number = 1, alpha: Number = 1) -> Value:
    sum = _weighted(widened(input), c.matrix_multiply(widened(mat1), widened(mat2)), beta, alpha)
    return to(sum, input.dtype)


_ONE: Any = 1


@operator(
    {
        "input": lambda grad, beta: scaled(grad, beta),
        "mat": lambda grad, vec, alpha: scaled(outer(grad, conjugate(vec)), alpha),
        "vec": lambda grad, mat, alpha: scaled(mv(conjugate_transpose(mat), grad), alpha),
    },
    name="addmv", function=False, method=False,
)  # fmt: skip
def _addmv(input: Tensor, mat: Tensor, vec: Tensor, beta: Number = 1, alpha: Number = 1) -> Value:
    product = c.matrix_multiply(mat, memory.reshape(vec, shape=(vec.shape[0], 1)))
    return _weighted(input, memory.reshape(product, shape=(mat.shape[0],)), beta, alpha)


@operator(
    {
        "input": lambda grad, beta: scaled(grad, beta),
        "vec1": lambda grad, vec2, alpha: scaled(mv(grad, conjugate(vec2)), alpha),
        "vec2": lambda grad, vec1, alpha: scaled(mv(grad.t(), conjugate(vec1)), alpha),
    },
    layout=POINTWISE, name="addr", function=False, method=False,
)  # fmt: skip
def _addr(input: Tensor, vec1: Tensor, vec2: Tensor, beta: Number = 1, alpha: Number = 1) -> Value:
    return _weighted(input, memory.reshape(vec1, shape=(vec1.shape[0], 1)) * vec2, beta, alpha)


@operator(
    {
        "input": lambda grad, beta: scaled(grad, beta),
        "batch1": lambda grad, batch2, alpha: scaled(bmm(grad, conjugate_transpose(batch2)), alpha),
        "batch2": lambda grad, batch1, alpha: scaled(bmm(conjugate_transpose(batch1), grad), alpha),
    },
    name="baddbmm", function=False, method=False,
)  # fmt: skip
def _baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1) -> Value:
    sum = _weighted(widened(input), c.matrix_multiply(widened(batch1), widened(batch2)), beta, alpha)
    return to(sum, input.dtype)


@operator(
    {
        "input": lambda grad, beta: scaled(grad, beta),
        "batch1": lambda grad, batch2, alpha: scaled(matmul(grad, conjugate_transpose(batch2)), alpha),
        "batch2": lambda grad, batch1, alpha: scaled(matmul(conjugate_transpose(batch1), grad), alpha),
    },
    name="addbmm", function=False, method=False,
)  # fmt: skip
def _addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, beta: Number = 1, alpha: Number = 1) -> Value:
    return _weighted(input, r.reduce_sum(c.matrix_multiply(batch1, batch2), axes=(0,), dtype=batch1.dtype), beta, alpha)


def _weighted(input: Value, product: Value, beta: Any, alpha: Any) -> Value:
    if alpha is not _ONE:
        product = product * alpha
    return product + (input if beta is _ONE else input * beta)


def _is_plain(input: Any, x: Any, y: Any, beta: Any, shape: tuple[int, ...]) -> bool:
    """Whether beta·input + alpha·product needs none of the rules for integers, for beta = 0 or for errors."""
    here = input._spec
    if beta == 0 or not here.dtype is x._spec.dtype is y._spec.dtype or here.dtype.category < 2:
        return False
    if here.shape != shape:
        _strides.expand(here.shape, here.strides, shape)
    return True


@composite(in_place=True)
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1, out_dtype: Any = None) -> Any:
    """beta·input + alpha·(mat1 @ mat2).

    >>> import flambeau as torch
    >>> torch.addmm(torch.ones(1), torch.ones(2, 3), torch.ones(3, 1))
    tensor([[4.],
            [4.]])
    """
    a, b = mat1._spec, mat2._spec
    fits = a.ndim == b.ndim == 2 and a.shape[1] == b.shape[0]
    if fits and _is_plain(input, mat1, mat2, beta, (a.shape[0], b.shape[1])):
        return _addmm(input, mat1, mat2, beta, alpha)
    return _plus_product("addmm", input, mm(mat1, mat2), beta, alpha)


@composite(in_place=True)
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·input + alpha·(mat @ vec)."""
    a, b = mat._spec, vec._spec
    if a.ndim == 2 and b.shape == a.shape[1:] and _is_plain(input, mat, vec, beta, a.shape[:1]):
        return _addmv(input, mat, vec, beta, alpha)
    return _plus_product("addmv", input, mv(mat, vec), beta, alpha)


@composite(in_place=True)
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·input + alpha·outer(vec1, vec2)."""
    for name, each in (("vec1", vec1), ("vec2", vec2)):
        if each._spec.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {each._spec.ndim}-D")
    if _is_plain(input, vec1, vec2, beta, (*vec1._spec.shape, *vec2._spec.shape)):
        return _addr(input, vec1, vec2, beta, alpha)
    product = outer(vec1, vec2)
    if input._spec.dtype is bool_ and product._spec.dtype is bool_:
        product = product & bool(alpha)
        return product if not beta else input | product
    for name, each in (("beta", beta), ("alpha", alpha)):
        if isinstance(each, bool) and product._spec.dtype is not bool_:
            raise RuntimeError(f"Boolean {name} only supported for Boolean results.")
        if isinstance(each, float) and product._spec.dtype.category < 2:
            raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")
    if alpha != 1:
        product = product * alpha
    if input._spec.shape != product._spec.shape:
        input = input.expand(product._spec.shape)
    return product if beta == 0 else (input if beta == 1 else input * beta) + product


@composite(in_place=True)
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1, out_dtype: Any = None) -> Any:
    """beta·input + alpha·bmm(batch1, batch2)."""
    if _batches_fit(batch1, batch2):
        shape = (*batch1._spec.shape[:2], batch2._spec.shape[2])
        if _is_plain(input, batch1, batch2, beta, shape):
            return _baddbmm(input, batch1, batch2, beta, alpha)
    return _plus_product("baddbmm", input, bmm(batch1, batch2), beta, alpha)


@composite(in_place=True)
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·input + alpha·the sum of bmm(batch1, batch2) over the batch."""
    if batch1._spec.ndim == batch2._spec.ndim == 3 and batch1._spec.shape[0] != batch2._spec.shape[0]:
        raise RuntimeError(
            f"batch1 and batch2 must have same number of batches, got {batch1._spec.shape[0]} and {batch2._spec.shape[0]}"
        )
    if _batches_fit(batch1, batch2):
        shape = (batch1._spec.shape[1], batch2._spec.shape[2])
        if _is_plain(input, batch1, batch2, beta, shape):
            return _addbmm(input, batch1, batch2, beta, alpha)
    return _plus_product("addbmm", input, bmm(batch1, batch2).sum(0, dtype=batch1._spec.dtype), beta, alpha)


def _batches_fit(batch1: Any, batch2: Any) -> bool:
    a, b = batch1._spec, batch2._spec
    return a.ndim == b.ndim == 3 and a.shape[0] == b.shape[0] and a.shape[2] == b.shape[1]


def _linear_node(bias: Any, input: Any, weight: Any) -> str:
    rank = input._spec.ndim
    if rank == 2:
        return "AddmmBackward0" if bias is not None else "MmBackward0"
    return "ViewBackward0" if bias is not None else "UnsafeViewBackward0"


@operator(
    {
        "grad_output": lambda grad, input: _linear(None, conjugate(input), grad),
        "input": lambda grad, grad_output: matmul(conjugate(grad_output), grad),
    },
    name="linear_weight", function=False, method=False,
)  # fmt: skip
def _linear_weight_gradient(grad_output: Tensor, input: Tensor) -> Value:
    """The products of every output with every input, summed over all leading dimensions: (out, in)."""
    rows, columns = grad_output.shape[-1], input.shape[-1]
    count = _rows(grad_output)
    left = memory.transpose(memory.reshape(grad_output, shape=(count, rows)), axes=(1, 0))
    return c.matrix_multiply(left, memory.reshape(input, shape=(count, columns)))


def _linear_bias_gradient(grad: Any) -> Any:
    rank = grad._spec.ndim
    return grad.sum(tuple(range(rank - 1))) if rank > 1 else grad


def _linear_input_gradient(grad: Any, weight: Any) -> Any:
    return matmul(grad, conjugate(weight))


@operator(
    {
        "bias": _linear_bias_gradient,
        "input": _linear_input_gradient,
        "weight": lambda grad, input: _linear_weight_gradient(grad, conjugate(input)),
    },
    name="linear", function=False, method=False, node=_linear_node,
)  # fmt: skip
def _linear(bias: Tensor | None, input: Tensor, weight: Tensor) -> Value:
    if weight.ndim == 1:
        rows, columns = 1, weight.shape[0]
    elif weight.ndim == 2:
        rows, columns = weight.shape
    else:
        raise RuntimeError(f"linear: weight must have 1 or 2 dimensions, got {list(weight.shape)}")
    if not input.ndim or input.shape[-1] != columns:
        count = input.numel // input.shape[-1] if input.ndim and input.shape[-1] else 1
        last = input.shape[-1] if input.ndim else 1
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({count}x{last} and {columns}x{rows})")
    if input.dtype is not weight.dtype or (bias is not None and bias.dtype is not weight.dtype):
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {scalar_name(input.dtype)} and {scalar_name(weight.dtype)}"
        )
    flat = memory.reshape(input, shape=(input.numel // columns if columns else _rows(input), columns))
    # Narrow floats are rounded once, after the bias is added.
    product = c.matrix_multiply(widened(flat), _transposed(memory.reshape(widened(weight), shape=(rows, columns))))
    if bias is not None:
        product = product + widened(bias)
    product = to(product, input.dtype)
    return memory.reshape(product, shape=(*input.shape[:-1], *((rows,) if weight.ndim == 2 else ())))


def _rows(x: Value | Spec) -> int:
    count = 1
    for size in x.shape[:-1]:
        count *= size
    return count


@composite(function=False, method=False)
def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """input @ weightᵀ + bias, over the last dimension: (…, in) with weight (out, in) gives (…, out).

    >>> import flambeau as torch
    >>> torch.nn.functional.linear(torch.ones(1, 2), torch.ones(3, 2), torch.zeros(3))
    tensor([[2., 2., 2.]])
    """
    if weight._spec.ndim == 1:
        result = matmul(input, weight)
        return result if bias is None else result + bias
    return _linear(bias, input, weight)


@composite(method=False)
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Products summed over several dimensions: the last ``dims`` of a with the first of b, or the listed pairs.

    >>> import flambeau as torch
    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 4), dims=1).shape
    torch.Size([2, 4])
    """
    x, y = a._spec, b._spec
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(x.ndim, y.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        first, second = list(range(x.ndim - dims, x.ndim)), list(range(dims))
    else:
        if hasattr(dims, "tolist"):
            dims = dims.tolist()
        first, second = ([each] if isinstance(each, int) else list(each) for each in dims)
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    if x.dtype is not y.dtype:
        raise RuntimeError(f"tensordot: expected both inputs to have same dtype, but got {x.dtype} and {y.dtype}")
    first = [_strides.normalize_axis(axis, x.ndim) for axis in first]
    second = [_strides.normalize_axis(axis, y.ndim) for axis in second]
    for k in range(len(first)):
        n, m = x.shape[first[k]], y.shape[second[k]]
        if n != m:
            if n == 1:
                b = b.sum(second[k], keepdim=True, dtype=y.dtype)
            elif m == 1:
                a = a.sum(first[k], keepdim=True, dtype=x.dtype)
            else:
                raise RuntimeError(
                    f"contracted dimensions need to match, but first has size {n} in dim {first[k]} and second has size {m} in "
                    f"dim {second[k]}"
                )
    x, y = a._spec, b._spec
    left = [axis for axis in range(x.ndim) if axis not in first]
    right = [axis for axis in range(y.ndim) if axis not in second]
    inner_size, rows, columns = 1, 1, 1
    for axis in first:
        inner_size *= x.shape[axis]
    for axis in left:
        rows *= x.shape[axis]
    for axis in right:
        columns *= y.shape[axis]
    product = mm(
        a.permute(*left, *first).reshape(rows, inner_size) if x.ndim else a.reshape(1, 1),
        b.permute(*second, *right).reshape(inner_size, columns) if y.ndim else b.reshape(1, 1),
    )
    return product.reshape(tuple(x.shape[axis] for axis in left) + tuple(y.shape[axis] for axis in right))


@composite()
def kron(input: Any, other: Any) -> Any:
    """The Kronecker product: a block of ``other`` scaled by each element of ``input``.

    >>> import flambeau as torch
    >>> torch.kron(torch.tensor([1, 10]), torch.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])
    """
    rank = max(input._spec.ndim, other._spec.ndim)
    a = (1,) * (rank - input._spec.ndim) + tuple(input._spec.shape)
    b = (1,) * (rank - other._spec.ndim) + tuple(other._spec.shape)
    left = input.reshape(tuple(size for each in a for size in (each, 1)))
    right = other.reshape(tuple(size for each in b for size in (1, each)))
    product, shape = left * right, tuple(m * n for m, n in zip(a, b))
    here = product._spec
    return unsafe_view(product if _strides.view(here.shape, here.strides, shape) else product.contiguous(), shape)


@composite(method=False)
def chain_matmul(*matrices: Any) -> Any:
    """The product of several matrices."""
    result = matrices[0]
    for each in matrices[1:]:
        result = mm(result, each)
    return result


@operator({"input": lambda grad, input_spec: trace_gradient(grad, input_spec)})
def trace(input: Tensor) -> Value:
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    from ..core.dtypes import int64

    size = min(input.shape)
    kind = int64 if input.category < 2 else input.dtype
    corner = memory.slice_(input, starts=(0, 0), stops=(size, size), steps=(1, 1))
    flat = memory.reshape(to(corner, kind), shape=(size * size,))
    picked = memory.slice_(flat, starts=(0,), stops=(size * size,), steps=(size + 1,)) if size else flat
    return r.reduce_sum(picked, axes=(0,), dtype=kind)


def trace_gradient(grad: Any, input_spec: Any) -> Any:
    """The identity, scaled."""
    from .creation import filled

    zeros = filled(tuple(input_spec.shape), 0, grad._spec.dtype)
    from .views import diagonal_of, placed

    return placed(zeros, grad.expand(min(input_spec.shape)), lambda whole: diagonal_of(whole, 0, 0, 1))
