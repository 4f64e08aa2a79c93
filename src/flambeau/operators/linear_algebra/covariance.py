"""Covariances and correlations."""

from __future__ import annotations

from typing import Any

from ...core.dtypes import BOOL, FLOATING
from ..contraction import conjugate
from ..declaration import composite, functions


def _check_weights(name: str, weights: Any, count: int, integral: bool) -> None:
    spec = weights._spec
    if spec.ndim > 1:
        raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got {name} with {spec.ndim} dimensions")
    if integral != (spec.dtype.category < FLOATING):
        kind = "integral" if integral else "floating point"
        raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {spec.dtype} dtype")
    if spec.numel != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got {spec.numel} != {count}"
        )
    if spec.numel and bool((weights < 0).any()):
        raise RuntimeError(f"cov(): {name} cannot be negative")


@composite()
def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of variables (rows) over observations (columns), divided by their number less ``correction``.

    ``fweights`` repeats observations, ``aweights`` weighs them.

    >>> import flambeau as torch
    >>> torch.cov(torch.tensor([[0.0, 1, 2], [2, 1, 0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    spec = input._spec
    if spec.ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got an input with {spec.ndim} dimensions")
    if spec.dtype.category == BOOL:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.reshape(1, -1) if spec.ndim < 2 else input
    count = x._spec.shape[1]
    weights: Any = None
    if fweights is not None:
        _check_weights("fweights", fweights, count, True)
        weights = fweights
    if aweights is not None:
        _check_weights("aweights", aweights, count, False)
        weights = aweights if weights is None else weights * aweights
    if weights is None:
        total: Any = count
        average = x.sum(1) / count if count else x.sum(1) * float("nan")
    else:
        total = weights.sum()
        if float(total.detach()) == 0:
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
        average = (x * weights).sum(1) / total
    if weights is not None and aweights is not None and correction:
        normal = total - correction * (weights * aweights).sum() / total
    else:
        normal = total - correction
    if weights is None:
        if normal <= 0:
            _warn()
            normal = 0
    else:
        if float(normal.detach()) <= 0:
            _warn()
            normal = normal.clamp(min=0)
    centred = x - average.unsqueeze(1)
    weighted = centred if weights is None else centred * weights
    return (centred @ conjugate(weighted.t()).to(centred._spec.dtype) / normal).squeeze()


def _warn() -> None:
    import warnings

    warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.", stacklevel=5)


@composite()
def corrcoef(input: Any) -> Any:
    """The correlations of variables (rows) over observations (columns).

    >>> import flambeau as torch
    >>> torch.corrcoef(torch.tensor([[0.0, 1, 2], [2, 1, 0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input._spec.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input._spec.ndim} dimensions"
        )
    c = cov(input)
    if not c._spec.ndim:
        return c / c
    deviation = c.diagonal()
    deviation = (deviation.real if c._spec.dtype.is_complex else deviation).sqrt()
    c = c / deviation.reshape(-1, 1)
    c = c / deviation.reshape(1, -1)
    if c._spec.dtype.is_complex:
        return functions["complex"](c.real.clamp(-1, 1), c.imag.clamp(-1, 1))
    return c.clamp(-1, 1)
