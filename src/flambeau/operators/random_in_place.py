"""The in-place samplers: ``uniform_``, ``normal_``, ``random_`` … and what all random operators share.

Numbers are drawn from the generator when the operator is called, in call order, so that the stream is PyTorch's
whatever happens to the recording. They are drawn in the order in which the elements lie in memory, as PyTorch does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ..autograd.grad_mode import mode
from ..core import sampling
from ..core.dtypes import COMPLEX, FLOATING, bool_, dtype, finfo, iinfo
from ..core.generators import Generator
from ..core.names import scalar_name
from ..core.specs import Spec
from ..core.storages import Storage, at_rest
from ..primitives.values import Value
from ..tracing.handles import Handle, wrap
from ..tracing.recorder import lock, observer, trace
from .creation import finish, from_array
from .declaration import Operator, methods, operator
from .generator import default_generator
from .kinds import Tensor
from .views import as_index
from .writing import check_in_place

Shape = tuple[int, ...]
Sample = Callable[[Shape], Any]

# -- what all of them share -------------------------------------------------------------------------------------------


def stream(name: str, generator: Any) -> Generator:
    """The generator to draw from: the one given, or the default one."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{name}(): argument 'generator' must be torch.Generator, not {type(generator).__name__}")
    return generator


def number(name: str, parameter: str, value: Any) -> float:
    """A float argument: a Python number or a tensor of one element."""
    if isinstance(value, Handle):
        value = value.item()
    if not isinstance(value, (int, float)):
        try:
            return value.__float__()
        except AttributeError:
            raise TypeError(f"{name}(): argument '{parameter}' must be float, not {type(value).__name__}") from None
    return float(value)


def not_implemented(kernel: str, kind: dtype) -> NotImplementedError:
    """PyTorch's error for a dtype that a sampler does not have."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(kind)}'")


def in_memory_order(layout: Spec, sample: Sample) -> Any:
    """``sample`` of the layout's shape, drawn in the order in which its elements lie in memory."""
    if observer.capture is not None:
        return observer.capture.draw(lambda: _in_memory_order(layout, sample))
    return _in_memory_order(layout, sample)


def _in_memory_order(layout: Spec, sample: Sample) -> Any:
    if layout.is_contiguous:
        return sample(tuple(layout.shape))
    return sampling.in_memory_order(layout.shape, layout.strides, sample)


def drawn_operator(name: str, node: str) -> Operator:
    """An operator whose result are numbers drawn beforehand; nothing about them depends on what was there before."""

    @operator(
        {"input": lambda grad: grad.new_zeros(grad.shape)}, name=name, node=node, method=False, function=False
    )
    def replace(input: Tensor, numbers: Tensor) -> Value:
        return numbers

    found: Operator = replace.operator
    return found


def drawn_into(target: Any, node: Operator, sample: Sample) -> Any:
    """Write a sample into ``target``, with PyTorch's checks of what may be written to."""
    if not isinstance(target, Handle):
        raise TypeError(f"{node.name}_(): argument 'input' (position 1) must be Tensor, not {type(target).__name__}")
    here = target._spec
    tracked = mode.enabled and target._tracked
    check_in_place(node.name, target, here.shape, here.dtype, tracked)  # before drawing
    numbers = in_memory_order(here, sample)
    if not tracked and _written_at_once(target, numbers):
        return target
    return node.call_in_place((target, from_array(numbers, here.dtype)), {})


def _written_at_once(target: Any, numbers: Any) -> bool:
    """Write to the target's memory, where nothing recorded needs what is there now and nobody looks on."""
    cell = target._cell
    if type(cell) is not Storage or observer.capture is not None or observer.run is not None:
        return False
    with lock:
        # What is recorded reads a storage itself, which its epoch tells, or a view of it.
        if (
            cell.epoch is trace.epoch or cell.array is None or type(trace.entries) is not list
            or (trace.windows and any(key[0] is cell for key in trace.windows))
        ):  # fmt: skip
            return False
        cell.array[...] = numbers
        if not target._data_alias:
            cell.version += 1
    return True


def drawn_like(layout: Spec, sample: Sample, requires_grad: bool = False) -> Any:
    """A new tensor of a dense layout that holds a sample."""
    return finish(wrap(at_rest(in_memory_order(layout, sample), layout), layout), requires_grad)


# -- in place ---------------------------------------------------------------------------------------------------------

UNIFORM = drawn_operator("uniform", "UniformBackward0")
NORMAL = drawn_operator("normal", "NormalBackward0")
_exponential = drawn_operator("exponential", "ExponentialBackward0")
_cauchy = drawn_operator("cauchy", "CauchyBackward0")
_log_normal = drawn_operator("log_normal", "LogNormalBackward0")
_geometric = drawn_operator("geometric", "GeometricBackward0")
RANDOM = [drawn_operator("random", f"RandomBackward{form}") for form in range(3)]

_C_NAMES = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long",
    "uint16": "unsigned short", "uint32": "unsigned int", "uint64": "unsigned long", "float16": "c10::Half",
    "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double",
}  # fmt: skip
#: How many bits an integer may have for a floating dtype to hold it and all smaller ones.
INTEGER_BITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


def uniform_sample(name: str, kind: dtype, generator: Any, low: float = 0.0, high: float = 1.0) -> Sample:
    """A sampler of numbers from [low, high).

    Raises:
        NotImplementedError: an integer dtype.
        RuntimeError: bounds that the dtype cannot hold, or in the wrong order.
    """
    if kind.category < FLOATING:
        raise not_implemented("check_uniform_bounds", kind)
    if low == 0 and high == 1:
        source = stream(name, generator)
        return lambda shape: sampling.uniform(source, shape, kind.numpy)
    real = kind.to_real()
    largest = float(finfo(real).max)
    for parameter, bound in (("from", low), ("to", high)):
        if not -largest <= bound <= largest:
            raise RuntimeError(f"{parameter} is out of bounds for {_C_NAMES[real.name]}")
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > largest:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{scalar_name(real)}>::max(), but found to={high:g} and "
            f"from={low:g} which result in to-from to exceed the limit"
        )
    source = stream(name, generator)
    return lambda shape: sampling.uniform(source, shape, kind.numpy, low, high)


def normal_sample(
    name: str, kind: dtype, generator: Any, mean: float = 0.0, std: float = 1.0, contiguous: bool = True
) -> Sample:
    """A sampler of normal numbers.

    Raises:
        NotImplementedError: an integer dtype.
        RuntimeError: a negative standard deviation.
    """
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if kind.category < FLOATING:
        raise not_implemented("normal_kernel_cpu", kind)
    source = stream(name, generator)
    return lambda shape: sampling.normal(source, shape, kind.numpy, mean, std, contiguous)


def integer_sample(name: str, kind: dtype, generator: Any, low: int, high: int) -> Sample:
    """A sampler of integers from [low, high).

    Raises:
        RuntimeError: an empty range, or one that the dtype cannot hold.
    """
    if kind.category == COMPLEX:
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    smallest, largest = _range_of(kind)
    for parameter, bound in (("from", low), ("to - 1", high - 1)):
        if not smallest <= bound <= largest:
            raise RuntimeError(f"{parameter} is out of bounds for {_C_NAMES[kind.name]}")
        digits = INTEGER_BITS.get(kind.name)
        if digits is not None and not -(1 << digits) <= bound <= 1 << digits:
            import warnings

            warnings.warn(
                f"{parameter} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations "
                f"{_C_NAMES[kind.name]} can support discrete uniform distribution only within this range. This warning "
                "will become an error in version 1.7 release, please fix the code in advance",
                stacklevel=4,
            )
    source = stream(name, generator)
    return lambda shape: sampling.integers(source, shape, kind.numpy, low, high)


@cache
def _range_of(kind: dtype) -> tuple[float, float]:
    if kind is bool_:
        return 0, 1
    if kind.category >= FLOATING:
        limits = finfo(kind)
        return limits.min, limits.max
    bounds = iinfo(kind)
    return bounds.min, bounds.max


def uniform_(input: Any, *bounds: Any, generator: Any = None, **named: Any) -> Any:
    """uniform_(from=0, to=1, *, generator=None): numbers from [from, to), evenly.

    Raises:
        RuntimeError: from > to, or bounds that the dtype cannot hold.

    >>> import flambeau as torch
    >>> x = torch.zeros(100).uniform_(2, 3); bool(((x >= 2) & (x < 3)).all())
    True
    """
    low, high = _two(bounds, named, "uniform_", ("from", 0.0), ("to", 1.0)) if bounds or named else (0.0, 1.0)
    return drawn_into(input, UNIFORM, uniform_sample("uniform_", input._spec.dtype, generator, low, high))


def _two(given: Any, named: dict[str, Any], name: str, *parameters: tuple[str, float]) -> list[float]:
    """Two float arguments, of which one may be called ``from``: a word Python does not allow for a parameter."""
    if len(given) > len(parameters):
        raise TypeError(f"{name}() takes at most {len(parameters)} positional arguments but {len(given)} were given")
    values = []
    for place, (parameter, default) in enumerate(parameters):
        if parameter in named and place < len(given):
            raise TypeError(f"{name}() got multiple values for argument '{parameter}'")
        value = given[place] if place < len(given) else named.pop(parameter, default)
        values.append(number(name, parameter, value))
    if named:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(named))}'")
    return values


def normal_(input: Any, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Any:
    """Normal numbers of the given mean and standard deviation (Box and Muller, 1958).

    Raises:
        RuntimeError: std < 0.

    >>> import flambeau as torch
    >>> torch.zeros(3).normal_(5, 0)
    tensor([5., 5., 5.])
    """
    mean, std = number("normal_", "mean", mean), number("normal_", "std", std)
    here = input._spec
    return drawn_into(input, NORMAL, normal_sample("normal_", here.dtype, generator, mean, std, here.is_contiguous))


def random_(input: Any, *bounds: Any, generator: Any = None, **named: Any) -> Any:
    """random_(from=0, to=None, *, generator=None): integers from [from, to); one number alone is ``to``.

    Without ``to`` they go up to the largest the dtype holds; of floating dtypes to 2^24 (float32), 2^53 (float64).

    Raises:
        RuntimeError: from >= to, or bounds that the dtype cannot hold.

    >>> import flambeau as torch
    >>> x = torch.zeros(100).random_(3); sorted(set(x.tolist()))
    [0.0, 1.0, 2.0]
    """
    if len(bounds) > 2 or set(named) - {"from", "to"}:
        raise TypeError("random_() received an invalid combination of arguments: at most 'from' and 'to' are expected")
    if len(bounds) == 1 and not named:
        low, high, form = 0, bounds[0], 1
    else:
        low = bounds[0] if bounds else named.get("from", 0)
        high = bounds[1] if len(bounds) > 1 else named.get("to")
        form = 0 if bounds or "from" in named else 1 if "to" in named else 2
    kind = input._spec.dtype
    if form == 2:
        if kind.category == COMPLEX:
            raise not_implemented("random_kernel_cpu", kind)
        source = stream("random_", generator)
        return drawn_into(input, RANDOM[2], lambda shape: sampling.any_integers(source, shape, kind.numpy))
    low = as_index(low, "random_")
    if high is None:
        largest = 1 << INTEGER_BITS[kind.name] if kind.name in INTEGER_BITS else int(_range_of(kind)[1])
        high = largest + 1
    sample = integer_sample("random_", kind, generator, low, as_index(high, "random_"))
    return drawn_into(input, RANDOM[form], sample)


def exponential_(input: Any, lambd: Any = 1.0, *, generator: Any = None) -> Any:
    """Waiting times of density lambd·exp(-lambd·x).

    Raises:
        RuntimeError: lambd <= 0, or a dtype that is not floating.

    >>> import flambeau as torch
    >>> bool((torch.zeros(100).exponential_(2.0) >= 0).all())
    True
    """
    kind, rate = input._spec.dtype, number("exponential_", "lambd", lambd)
    if kind.category != FLOATING:
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {scalar_name(kind)}"
        )
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    source = stream("exponential_", generator)
    return drawn_into(input, _exponential, lambda shape: sampling.exponential(source, shape, kind.numpy, rate))


def cauchy_(input: Any, median: Any = 0.0, sigma: Any = 1.0, *, generator: Any = None) -> Any:
    """Numbers of density sigma / (π·((x - median)² + sigma²)).

    Raises:
        RuntimeError: sigma <= 0, or a dtype that is not floating.

    >>> import flambeau as torch
    >>> torch.zeros(3).cauchy_(0.0, 2.0).shape
    torch.Size([3])
    """
    kind, median, sigma = input._spec.dtype, number("cauchy_", "median", median), number("cauchy_", "sigma", sigma)
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    if kind.category != FLOATING:
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {kind.name}"
        )
    source = stream("cauchy_", generator)
    return drawn_into(input, _cauchy, lambda shape: sampling.cauchy(source, shape, kind.numpy, median, sigma))


def log_normal_(input: Any, mean: Any = 1.0, std: Any = 2.0, *, generator: Any = None) -> Any:
    """Numbers whose logarithm is normal with the given mean and standard deviation.

    Raises:
        RuntimeError: std <= 0.
        NotImplementedError: a dtype that is not floating.

    >>> import flambeau as torch
    >>> bool((torch.zeros(100).log_normal_() > 0).all())
    True
    """
    kind, mean, std = input._spec.dtype, number("log_normal_", "mean", mean), number("log_normal_", "std", std)
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    if kind.category != FLOATING:
        raise not_implemented("log_normal_cpu", kind)
    source = stream("log_normal_", generator)
    return drawn_into(input, _log_normal, lambda shape: sampling.log_normal(source, shape, kind.numpy, mean, std))


def geometric_(input: Any, p: Any, *, generator: Any = None) -> Any:
    """The number of trials, each a success with probability ``p``, up to the first success: P(k) = (1 - p)^(k-1)·p.

    Raises:
        RuntimeError: p is not in (0, 1).

    >>> import flambeau as torch
    >>> bool((torch.zeros(100).geometric_(0.5) >= 1).all())
    True
    """
    kind, p = input._spec.dtype, number("geometric_", "p", p)
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    if kind.category == COMPLEX or kind is bool_:
        raise not_implemented("geometric_cpu", kind)
    source = stream("geometric_", generator)
    return drawn_into(input, _geometric, lambda shape: sampling.geometric(source, shape, kind.numpy, p))


methods.update(
    uniform_=uniform_, normal_=normal_, random_=random_, exponential_=exponential_, cauchy_=cauchy_,
    log_normal_=log_normal_, geometric_=geometric_,
)  # fmt: skip
