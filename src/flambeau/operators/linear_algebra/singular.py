"""The singular value decomposition and what follows from it: pseudo-inverse, rank, condition number."""

from __future__ import annotations

from typing import Any

from ...autograd.grad_mode import mode
from ...autograd.plans import called
from ...core.dtypes import finfo, int64
from ...core.names import scalar_name
from ...primitives import elementwise as p, linear_algebra as lapack, memory
from ...primitives.values import Value
from ...tracing.handles import Handle
from ..declaration import composite, operator
from ..kinds import Tensor
from ..norms import matrix_norm
from ..return_names import named
from .matrices import adjoint, check_floating, check_matrix, check_square, columns, is_complex
from .spectra import eigh, eigvalsh, over_gaps


def _check_driver(name: str, driver: Any) -> None:
    if driver is not None:
        raise RuntimeError(f"torch.{name}: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.")


def _svd_back(grads: Any, result0: Any, result1: Any, result2: Any) -> Any:
    """Townsend, "Differentiating the singular value decomposition", 2016; complex: Wan and Zhang, 2019."""
    count = result1._spec.shape[-1]
    grad_u, grad_s, grad_vh = grads
    u, s, v = result0[..., :count], result1, adjoint(result2)[..., :count]
    if result0._spec.shape[-1] != count:
        grad_u = grad_u[..., :count]
    if result2._spec.shape[-2] != count:
        grad_vh = grad_vh[..., :count, :]
    rows, width = u._spec.shape[-2], v._spec.shape[-2]
    grad_v = adjoint(grad_vh)
    kind = u._spec.dtype
    ss = s.to(kind)
    square = s * s
    from_u, from_v = adjoint(u) @ grad_u, adjoint(v) @ grad_v
    skew_u, skew_v = from_u - adjoint(from_u), from_v - adjoint(from_v)
    inner = over_gaps(skew_u, square) * ss.unsqueeze(-2) + ss.unsqueeze(-1) * over_gaps(skew_v, square)
    inner = inner - inner.tril().triu() + grad_s.to(kind).diag_embed()
    if is_complex(u):
        inner = inner + (0.5 * skew_u.diagonal(0, -2, -1) / ss).diag_embed()
    result = u @ inner
    if rows > count:
        rest = grad_u / ss.unsqueeze(-2)
        result = result + rest - u @ (adjoint(u) @ rest)
    result = result @ adjoint(v)
    if width > count:
        rest = adjoint(grad_v / ss.unsqueeze(-2))
        result = result + u @ (rest - (rest @ v) @ adjoint(v))
    return result


def _values_only_back(grads: Any, A: Any, result0: Any, result2: Any) -> Any:
    u, vh = result0, result2
    if mode.enabled:  # what is differentiated again must know how the vectors depend on A
        u, _, vh = _svd(A, False)
    return (u * grads[1].unsqueeze(-2).to(u._spec.dtype)) @ vh


@operator({"A": _svd_back}, name="linalg_svd", layout=columns, function=False, method=False, returns=named("linalg_svd"))
def _svd(A: Tensor, full_matrices: bool = True) -> tuple[Value, Value, Value]:
    check_matrix("linalg.svd", A)
    return lapack.singular_decomposition(A, full=full_matrices)


@operator({"A": _values_only_back}, name="linalg_svd", layout=columns, function=False, method=False)
def _svd_for_values(A: Tensor) -> tuple[Value, Value, Value]:
    check_matrix("linalg.svd", A)
    return lapack.singular_decomposition(A, full=False)


@operator(name="linalg_svdvals", function=False, method=False)
def _svdvals(A: Tensor) -> Value:
    check_matrix("linalg.svd", A)
    if 0 in A.shape:
        return memory.full(0.0, shape=(*A.shape[:-2], min(A.shape[-2:])), dtype=A.dtype.to_real())
    return lapack.singular_values(A)


@composite(function=False, method=False, name="linalg_svd")
def linalg_svd(A: Any, full_matrices: bool = True, *, driver: Any = None) -> Any:
    """A = U diag(S) Vᴴ with unitary U and Vᴴ and S descending; not ``full_matrices``: only min(m, n) vectors.

    >>> import flambeau as torch
    >>> torch.linalg.svd(torch.tensor([[0.0, 2], [1, 0]])).S
    tensor([2., 1.])
    """
    _check_driver("linalg.svd", driver)
    return _svd(A, full_matrices)


@composite(function=False, method=False, name="linalg_svdvals")
def svdvals(A: Any, *, driver: Any = None) -> Any:
    """The singular values, greatest first.

    >>> import flambeau as torch
    >>> torch.linalg.svdvals(torch.tensor([[0.0, 2], [1, 0]]))
    tensor([2., 1.])
    """
    _check_driver("linalg.svdvals", driver)
    return _svd_for_values(A)[1] if A._tracked and mode.enabled else _svdvals(A)


@composite()
def svd(input: Any, some: bool = True, compute_uv: bool = True) -> Any:
    """U, S and V (not Vᴴ) with input = U diag(S) Vᴴ; see ``linalg.svd``."""
    if input._spec.ndim < 2:
        raise RuntimeError("linalg.svd: input should have at least 2 dimensions")
    if not compute_uv:
        rows, width = input._spec.shape[-2:]
        batch = input._spec.shape[:-2]
        zeros = input.new_zeros
        return named("svd")((zeros((*batch, rows, rows)), svdvals(input), zeros((*batch, width, width))))
    u, s, vh = _svd(input, not some)
    return named("svd")((u, s, adjoint(vh)))


# -- what is not zero -------------------------------------------------------------------------------------------------


def _tolerance(name: str, A: Any, greatest: Any, atol: Any, rtol: Any) -> Any:
    """max(atol, rtol · the greatest singular value), rtol by default eps · max(m, n) unless atol is given."""
    for which, each in (("atol", atol), ("rtol", rtol)):
        if isinstance(each, Handle) and each._spec.dtype.is_complex:
            raise RuntimeError(
                f"{name}: {which} tensor of complex type is not supported. Got {scalar_name(each._spec.dtype)}"
            )
    default = finfo(A._spec.dtype).eps * max(A._spec.shape[-2:])
    if rtol is None:
        if atol is None:
            return default * greatest
        positive: Any = atol > 0
        rtol = (positive.logical_not() if isinstance(atol, Handle) else not positive) * default
    relative = _aligned(rtol) * greatest
    if atol is None:
        return relative
    if isinstance(atol, Handle):
        from ..comparison import maximum

        return maximum(_aligned(atol).to(relative._spec.dtype), relative)
    return relative.clamp(min=float(atol))


def _aligned(tolerance: Any) -> Any:
    """A tolerance for each matrix, beside each matrix's singular values."""
    several = isinstance(tolerance, Handle) and tolerance._spec.ndim
    return tolerance.unsqueeze(-1) if several else tolerance


def _sizes(A: Any, hermitian: bool) -> Any:
    return eigvalsh(A).abs() if hermitian else svdvals(A)


@composite(function=False, method=False, name="linalg_matrix_rank")
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    """How many singular values exceed max(atol, rtol · the greatest), rtol being eps · max(m, n) by default.

    >>> import flambeau as torch
    >>> torch.linalg.matrix_rank(torch.ones(2, 2))
    tensor(1)
    """
    if isinstance(tol, bool):
        tol, hermitian = None, tol
    if tol is not None:
        atol, rtol = tol, 0.0
    check_matrix("torch.linalg.matrix_rank", A._spec)
    A = A.detach()
    if hermitian:
        check_square("linalg.matrix_rank", A._spec)
    if A._spec.numel == 0:
        return A.new_zeros(A._spec.shape[:-2], dtype=int64)
    sizes = _sizes(A, hermitian)
    greatest = sizes.amax(-1, True)
    return (sizes > _tolerance("torch.linalg.matrix_rank", A, greatest, atol, rtol)).sum(-1)


def _pinv_back(grad: Any, A: Any, result: Any) -> Any:
    """Golub and Pereyra, "The differentiation of pseudo-inverses", 1973."""
    p, turned = result, adjoint(result)
    g = adjoint(grad)
    left = g @ p @ turned
    right = turned @ p @ g
    return -(turned @ grad @ turned) + left - A @ (p @ left) + right - (right @ p) @ A


@operator({"A": _pinv_back}, name="linalg_pinv", function=False, method=False)
def _pinv_kept(A: Tensor, found: Tensor) -> Value:
    return p.cast(found, dtype=A.dtype)


def pinv_of(name: str, A: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    """The pseudo-inverse, found without the tape, which gets the formula of its derivative."""
    check_matrix(name, A._spec)
    if hermitian:
        check_square(name, A._spec)
    if A._spec.numel == 0:
        return called(A.mT.clone(), "LinalgPinvBackward0")
    here = A.detach()
    if hermitian:
        values, vectors = eigh(here)
        sizes = values.abs()
        tolerance = _tolerance(name, A, sizes.amax(-1, True), atol, rtol)
        scale = (1 / values).masked_fill(sizes <= tolerance, 0)
        found = (vectors * scale.unsqueeze(-2)) @ adjoint(vectors)
    else:
        u, s, vh = _svd(here, False)
        tolerance = _tolerance(name, A, s[..., :1], atol, rtol)
        scale = (1 / s).masked_fill(s <= tolerance, 0)
        found = adjoint(vh) @ (scale.unsqueeze(-1) * adjoint(u))
    return _pinv_kept(A, found) if A._tracked and mode.enabled else found


@composite(function=False, method=False, name="linalg_pinv")
def pinv(A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    """The Moore–Penrose pseudo-inverse; singular values up to max(atol, rtol · the greatest) count as zero.

    >>> import flambeau as torch
    >>> torch.linalg.pinv(torch.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    if isinstance(rcond, bool):
        rcond, hermitian = None, rcond
    if rcond is not None:
        rtol, atol = rcond, 0.0 if atol is None else atol
    return pinv_of("linalg.pinv", A, atol, rtol, hermitian)


@composite()
def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """The pseudo-inverse; see ``linalg.pinv``."""
    return pinv_of("linalg.pinv", input, 0.0, rcond, False)


@composite(function=False, method=False, name="linalg_cond")
def cond(A: Any, p: Any = None) -> Any:
    """The condition number ‖A‖ ‖A⁻¹‖ by the norm ``p`` (None, ±2: the greatest over the least singular value).

    >>> import flambeau as torch
    >>> torch.linalg.cond(torch.tensor([[4.0, 0], [0, 2]]))
    tensor(2.)
    """
    if A._spec.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor A must have at least 2 dimensions.")
    if p is None or p in (2, -2):
        check_floating("linalg.cond", A._spec)
        if A._spec.numel == 0:
            return A.new_zeros(A._spec.shape[:-2], dtype=A._spec.dtype.to_real())
        values = svdvals(A)
        first, last = values[..., 0], values[..., -1]
        return last / first if p == -2 else first / last
    check_square("linalg.cond", A._spec)
    if A._spec.numel == 0:
        return A.new_zeros(A._spec.shape[:-2], dtype=A._spec.dtype.to_real())
    if p == "nuc":
        values = svdvals(A)
        return values.sum(-1) * values.reciprocal().sum(-1)
    if p not in ("fro", 1, -1, float("inf"), float("-inf")):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    from .solving import _inv_ex

    inverse, info = _inv_ex(A)
    inverse = inverse.masked_fill((info != 0).unsqueeze(-1).unsqueeze(-1), float("inf"))
    return matrix_norm(A, p) * matrix_norm(inverse, p)
