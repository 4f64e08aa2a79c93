"""Random outcomes whose parameters are tensors: Bernoulli, multinomial, Poisson, binomial, gamma, Dirichlet.

What a tensor holds decides how many random words its sample takes, so these are sync points.
"""

from __future__ import annotations

from typing import Any

from ..autograd.grad_mode import mode
from ..core import sampling
from ..core.dtypes import COMPLEX, FLOATING, float32, float64, int64
from ..core.names import scalar_name
from ..core.specs import spec
from ..core.strides import expand
from ..tracing.handles import Handle
from ..tracing.recorder import array_of
from .creation import empty_layout, from_array
from .declaration import Operator, functions, methods
from .random_in_place import drawn_into, drawn_like, drawn_operator, not_implemented, number, stream
from .writing import write_out

_bernoulli = [drawn_operator("bernoulli", f"BernoulliBackward{form}") for form in range(3)]
_poisson = drawn_operator("poisson", "PoissonBackward0")


def _tensor(name: str, parameter: str, value: Any) -> Any:
    if not isinstance(value, Handle):
        raise TypeError(f"{name}(): argument '{parameter}' must be Tensor, not {type(value).__name__}")
    return value


def _tracked(node: Operator, parameter: Any, made: Any) -> Any:
    """A sample on the tape: its parameters get gradients of zero, as in PyTorch."""
    return node.call((parameter, made), {}) if parameter._tracked and mode.enabled else made


def _probabilities(name: str, p: Any, layout: Any) -> Any:
    """The probabilities as an array of the layout's shape, in the order of its memory."""
    if p._spec.dtype.category != FLOATING:
        raise not_implemented("bernoulli_tensor_cpu_p_", p._spec.dtype)
    expand(p._spec.shape, p._spec.strides, layout.shape)
    given = array_of(p.detach().expand(layout.shape)._cell)
    if layout.is_contiguous:
        return given
    return given.transpose(sorted(range(layout.ndim), key=lambda axis: -layout.strides[axis]))


def bernoulli_(input: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """1 with probability ``p`` (a number, or a tensor with one for each element), else 0.

    Raises:
        RuntimeError: a probability outside of [0, 1].

    >>> import flambeau as torch
    >>> torch.zeros(3).bernoulli_(torch.tensor([0.0, 1.0, 1.0]))
    tensor([0., 1., 1.])
    """
    here, source = input._spec, stream("bernoulli_", generator)
    if isinstance(p, Handle):
        if here.dtype.category == COMPLEX:
            raise not_implemented("bernoulli_tensor_cpu_self_", here.dtype)
        chances = _probabilities("bernoulli_", p, here)
        return drawn_into(
            input, _bernoulli[1], lambda shape: sampling.bernoulli_like(source, chances, here.dtype.numpy)
        )
    chance = number("bernoulli_", "p", p)
    if not 0 <= chance <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={chance:g}")
    if here.dtype.category == COMPLEX:
        raise not_implemented("bernoulli_scalar_cpu_", here.dtype)
    return drawn_into(
        input, _bernoulli[2], lambda shape: sampling.bernoulli(source, shape, here.dtype.numpy, chance)
    )


def bernoulli(input: Any, p: Any = None, *, generator: Any = None, out: Any = None) -> Any:
    """1 with the probability that ``input`` gives for each element, else 0; with ``p``, that for all elements.

    Raises:
        RuntimeError: a probability outside of [0, 1].

    >>> import flambeau as torch
    >>> torch.bernoulli(torch.tensor([0.0, 1.0, 1.0]))
    tensor([0., 1., 1.])
    """
    here = _tensor("bernoulli", "input", input)._spec
    source = stream("bernoulli", generator)
    layout = spec(here.shape, here.dtype)
    if p is not None:
        return bernoulli_(empty_layout(layout), p, generator=generator)
    if out is not None:
        if out._spec.shape != here.shape:
            out.resize_(here.shape)
        return bernoulli_(out, input.detach(), generator=generator)
    if here.dtype.category == COMPLEX:
        raise not_implemented("bernoulli_tensor_cpu_self_", here.dtype)
    chances = _probabilities("bernoulli", input, layout)
    made = drawn_like(layout, lambda shape: sampling.bernoulli_like(source, chances, here.dtype.numpy))
    return _tracked(_bernoulli[0], input, made)


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None, out: Any = None
) -> Any:
    """Indices drawn from each row of ``input``, whose numbers are the weights (they need not sum to 1).

    Args:
        input: weights, of shape (n,) or (m, n).
        num_samples: how many indices to draw from a row.
        replacement: whether an index may be drawn again.

    Raises:
        RuntimeError: weights that are no distribution, or more samples than categories without replacement.

    >>> import flambeau as torch
    >>> torch.multinomial(torch.tensor([0.0, 1.0, 0.0]), 3, replacement=True)
    tensor([1, 1, 1])
    """
    here = _tensor("multinomial", "input", input)._spec
    if out is not None and out._spec.dtype is not int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {scalar_name(out._spec.dtype)}")
    if here.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim (got shape {list(here.shape)})")
    if here.dtype.category != FLOATING:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {scalar_name(here.dtype)}"
        )
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples (got {num_samples})")
    if not replacement and num_samples > here.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement "
            f"({num_samples} > {here.shape[-1]})"
        )
    source = stream("multinomial", generator)
    indices = sampling.multinomial(source, array_of(input._cell), int(num_samples), bool(replacement))
    made = from_array(indices, int64)
    return made if out is None else write_out("multinomial", out, made)


def poisson(input: Any, generator: Any = None) -> Any:
    """The number of events where ``input`` are expected on average (Hörmann, 1993).

    Raises:
        RuntimeError: a negative rate.

    >>> import flambeau as torch
    >>> torch.poisson(torch.tensor([0.0, 0.0]))
    tensor([0., 0.])
    """
    here = _tensor("poisson", "input", input)._spec
    if here.dtype.category != FLOATING:
        raise not_implemented("poisson_cpu", here.dtype)
    counts = sampling.poisson(stream("poisson", generator), array_of(input._cell))
    return _tracked(_poisson, input, from_array(counts, here.dtype))


def binomial(count: Any, prob: Any, generator: Any = None) -> Any:
    """The number of successes in ``count`` trials of probability ``prob`` (Hörmann, 1993).

    Raises:
        ValueError: counts of an integer dtype.
        RuntimeError: the two have different dtypes.

    >>> import flambeau as torch
    >>> torch.binomial(torch.tensor([3.0, 5.0]), torch.tensor([1.0, 0.0]))
    tensor([3., 0.])
    """
    first, second = _tensor("binomial", "count", count)._spec, _tensor("binomial", "prob", prob)._spec
    if first.dtype.category != FLOATING:
        raise ValueError(f"binomial only supports floating-point dtypes for count, got: {scalar_name(first.dtype)}")
    if second.dtype.category != FLOATING:
        raise ValueError(f"binomial only supports floating-point dtypes for prob, got: {scalar_name(second.dtype)}")
    if first.dtype is not second.dtype:
        raise RuntimeError(f"Found dtype {scalar_name(second.dtype)} but expected {scalar_name(first.dtype)}")
    if first.dtype not in (float32, float64):
        raise not_implemented("binomial_cpu", first.dtype)
    shape = (count.detach() + prob.detach())._spec.shape
    trials, chances = (array_of(each.detach().expand(shape)._cell) for each in (count, prob))
    return from_array(sampling.binomial(stream("binomial", generator), trials, chances), first.dtype)


def _standard_gamma(input: Any, generator: Any = None) -> Any:
    here = _tensor("_standard_gamma", "input", input)._spec
    if here.dtype not in (float32, float64):
        raise not_implemented("gamma_cpu", here.dtype)
    return from_array(sampling.standard_gamma(stream("_standard_gamma", generator), array_of(input._cell)), here.dtype)


def _sample_dirichlet(input: Any, generator: Any = None) -> Any:
    here = _tensor("_sample_dirichlet", "input", input)._spec
    if here.dtype not in (float32, float64):
        raise not_implemented("dirichlet", here.dtype)
    return from_array(sampling.dirichlet(stream("_sample_dirichlet", generator), array_of(input._cell)), here.dtype)


functions.update(
    bernoulli=bernoulli, multinomial=multinomial, poisson=poisson, binomial=binomial, _standard_gamma=_standard_gamma,
    _sample_dirichlet=_sample_dirichlet,
)  # fmt: skip
methods.update(bernoulli=bernoulli, bernoulli_=bernoulli_, multinomial=multinomial)

