"""New tensors of random numbers: ``rand``, ``randn``, ``randint``, ``randperm``, ``normal``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import mode
from ..core import sampling
from ..core.devices import find
from ..core.dtypes import COMPLEX, FLOATING, as_dtype, bool_, dtype, get_default_dtype, iinfo, int64
from ..core.names import scalar_name
from ..core.specs import Spec, spec
from ..core.storages import at_rest
from ..core.strides import broadcast
from ..primitives.values import Value
from ..tracing.handles import Handle, wrap
from .conversion import format_strides
from .creation import empty_layout, finish, from_array
from .declaration import Operator, functions, operator
from .kinds import Tensor
from .random_in_place import (
    INTEGER_BITS,
    NORMAL,
    RANDOM,
    UNIFORM,
    Sample,
    Shape,
    drawn_into,
    drawn_like,
    drawn_operator,
    in_memory_order,
    integer_sample,
    normal_,
    normal_sample,
    not_implemented,
    number,
    stream,
    uniform_sample,
)
from .views import as_index, sizes


def _made(
    node: Operator, shape: Shape, kind: dtype, sampler: Callable[[Spec], Sample], out: Any, asked: dtype | None,
    requires_grad: bool,
) -> Any:  # fmt: skip
    """A new contiguous tensor of a sample, or ``out`` resized and sampled in place, in its own dtype and layout."""
    for size in shape:
        if size < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {size}: {list(shape)}")
    if out is None:
        if requires_grad and as_dtype(kind, node.name).category < FLOATING:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        layout = spec(shape, kind)
        array = in_memory_order(layout, sampler(layout))
        if array.dtype is not layout.dtype.numpy:
            return from_array(array, layout.dtype, requires_grad)
        return finish(wrap(at_rest(array, layout), layout), requires_grad)
    resized(node.name, out, shape)
    if asked is not None and asked is not out._spec.dtype:
        raise RuntimeError(
            f"dtype {scalar_name(asked)} does not match dtype of out parameter ({scalar_name(out._spec.dtype)})"
        )
    return drawn_into(out, node, sampler(out._spec))


def resized(name: str, out: Any, shape: Any) -> Any:
    """``out``, of the wanted shape."""
    if not isinstance(out, Handle):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    return out if tuple(out._spec.shape) == tuple(shape) else out.resize_(shape)


def _layout_like(name: str, input: Any, kind: dtype | None, memory_format: Any) -> Spec:
    if not isinstance(input, Handle):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    here = input._spec
    return spec(here.shape, kind or here.dtype, format_strides(here.shape, here.strides, memory_format))


def rand(
    *size: Any, generator: Any = None, out: Any = None, dtype: dtype | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False, **named: Any,
) -> Any:  # fmt: skip
    """Numbers from [0, 1), evenly.

    Args:
        size: the shape, as separate ints or one sequence.
        generator: where to draw from; the default generator when None.

    Raises:
        NotImplementedError: an integer dtype.

    >>> import flambeau as torch
    >>> _ = torch.manual_seed(0); torch.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    find(device)
    shape = sizes(size, "rand", "size", named)
    return _made(
        UNIFORM, shape, dtype or get_default_dtype(), lambda of: uniform_sample("rand", of.dtype, generator), out,
        dtype, requires_grad,
    )  # fmt: skip


def randn(
    *size: Any, generator: Any = None, out: Any = None, dtype: dtype | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False, **named: Any,
) -> Any:  # fmt: skip
    """Normal numbers of mean 0 and variance 1 (of a complex dtype: of its modulus).

    Args:
        size: the shape, as separate ints or one sequence.
        generator: where to draw from; the default generator when None.

    Raises:
        NotImplementedError: an integer dtype.

    >>> import flambeau as torch
    >>> _ = torch.manual_seed(0); torch.randn(3)
    tensor([ 1.5410, -0.2934, -2.1788])
    """
    find(device)
    shape = sizes(size, "randn", "size", named)
    return _made(
        NORMAL, shape, dtype or get_default_dtype(),
        lambda of: normal_sample("randn", of.dtype, generator, contiguous=of.is_contiguous), out, dtype, requires_grad,
    )  # fmt: skip


def randint(
    *args: Any, generator: Any = None, out: Any = None, dtype: dtype | None = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False, **named: Any,
) -> Any:  # fmt: skip
    """randint(low=0, high, size): integers from [low, high), int64 unless a dtype is given.

    Raises:
        RuntimeError: low >= high, or bounds that the dtype cannot hold.
        TypeError: bounds that are no integers.

    >>> import flambeau as torch
    >>> _ = torch.manual_seed(0); torch.randint(3, 10, (4,))
    tensor([7, 6, 3, 5])
    """
    find(device)
    low, high, size = _integer_bounds("randint", args, named, ("size",))
    if not isinstance(size, (list, tuple)):
        raise TypeError(
            f"randint(): argument 'size' (position {max(len(args), 2)}) must be tuple of ints, not "
            f"{type(size).__name__}"
        )
    return _made(
        RANDOM[0], sizes((size,), "randint"), dtype or int64,
        lambda of: integer_sample("randint", of.dtype, generator, low, high), out, dtype, requires_grad,
    )  # fmt: skip


def _integer_bounds(name: str, args: tuple[Any, ...], named: dict[str, Any], rest: tuple[str, ...]) -> list[Any]:
    """(low, high, *rest) of a call that may leave out ``low``."""
    names: tuple[str, ...] = ("low", "high", *rest)
    if len(args) + len(named) < len(names):
        names = names[1:]
    if len(args) + len(named) != len(names) or {*names[: len(args)], *named} != set(names):
        raise TypeError(
            f"{name}() received an invalid combination of arguments - got "
            f"({', '.join(type(each).__name__ for each in args)}), "
            f"but expected ({', '.join(('high', *rest))}) or ({', '.join(('low', 'high', *rest))})"
        )
    given = {"low": 0, **dict(zip(names, args)), **named}
    for parameter in ("low", "high"):
        value = given[parameter]
        if isinstance(value, (float, str, tuple, list)):
            place = names.index(parameter) + 1
            raise TypeError(
                f"{name}(): argument '{parameter}' (position {place}) must be int, not {type(value).__name__}"
            )
        given[parameter] = as_index(value, name)
    return [given[each] for each in ("low", "high", *rest)]


def randperm(
    n: Any, *, generator: Any = None, out: Any = None, dtype: dtype | None = int64, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """The integers 0 … n-1 in random order (Fisher and Yates).

    Raises:
        RuntimeError: n < 0, or more numbers than the dtype can tell apart.

    >>> import flambeau as torch
    >>> _ = torch.manual_seed(0); torch.randperm(4)
    tensor([0, 1, 3, 2])
    """
    find(device)
    if isinstance(n, float):
        raise TypeError("randperm(): argument 'n' (position 1) must be int, not float")
    count = as_index(n, "randperm")

    def sampler(of: Spec) -> Sample:
        kind = of.dtype
        if kind is bool_ or kind.category == COMPLEX:
            raise not_implemented("randperm", kind)
        digits = INTEGER_BITS.get(kind.name)
        if digits is not None and count > (1 << digits) + 1:
            limit = f"2^{digits}+1" if digits > 11 else (1 << digits) + 1
            raise RuntimeError(f"n cannot be greater than {limit} for {scalar_name(kind)} type.")
        if digits is None and count - 1 > iinfo(kind).max:
            raise RuntimeError(f"value cannot be converted to type {kind.name}_t without overflow (randperm({count}))")
        source = stream("randperm", generator)
        return lambda shape: sampling.permutation(source, count, kind.numpy)

    # Given `out`, its dtype is the one that counts: int64 is then no wish but the default.
    asked = None if out is not None and dtype is int64 else dtype
    return _made(RANDOM[0], (count,), dtype or int64, sampler, out, asked, requires_grad)


def rand_like(
    input: Any, *, generator: Any = None, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = None,
) -> Any:  # fmt: skip
    """Numbers from [0, 1) in the shape, dtype and memory layout of ``input``."""
    wanted = _layout_like("rand_like", input, dtype, memory_format)
    return drawn_like(wanted, uniform_sample("rand_like", wanted.dtype, generator), requires_grad)


def randn_like(
    input: Any, *, generator: Any = None, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = None,
) -> Any:  # fmt: skip
    """Standard normal numbers in the shape, dtype and memory layout of ``input``."""
    wanted = _layout_like("randn_like", input, dtype, memory_format)
    sample = normal_sample("randn_like", wanted.dtype, generator, contiguous=wanted.is_contiguous)
    return drawn_like(wanted, sample, requires_grad)


def randint_like(
    input: Any, *args: Any, generator: Any = None, dtype: dtype | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = None, **named: Any,
) -> Any:  # fmt: skip
    """randint_like(input, low=0, high): integers from [low, high) in the shape, dtype and layout of ``input``."""
    low, high = _integer_bounds("randint_like", args, named, ())
    wanted = _layout_like("randint_like", input, dtype, memory_format)
    return drawn_like(wanted, integer_sample("randint_like", wanted.dtype, generator, low, high), requires_grad)


_normal_around = {form: drawn_operator("normal", f"NormalBackward{form}") for form in (1, 2)}


@operator(
    {
        "mean": lambda grad, mean: grad.new_zeros(mean.shape),
        "std": lambda grad, std: grad.new_zeros(std.shape, dtype=std.dtype),
    },
    name="normal", node="NormalBackward3", method=False, function=False,
)  # fmt: skip
def _normal_two(mean: Tensor, std: Tensor, numbers: Tensor) -> Value:
    return numbers


_normal_of_two: Operator = _normal_two.operator


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, out: Any = None, dtype: dtype | None = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Any:  # fmt: skip
    """Normal numbers, each of its own mean and standard deviation (tensors), or all of one (numbers and a size).

    Raises:
        RuntimeError: a negative standard deviation, or shapes that do not broadcast.

    >>> import flambeau as torch
    >>> torch.normal(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0]))
    tensor([1., 2.])
    """
    if size is not None:
        if isinstance(mean, complex):
            raise TypeError("normal() received an invalid combination of arguments: mean must be float, not complex")
        mean, std = number("normal", "mean", mean), number("normal", "std", std)
        return _made(
            NORMAL, sizes((size,), "normal"),
            dtype or get_default_dtype(),
            lambda of: normal_sample("normal", of.dtype, generator, mean, std, of.is_contiguous), out, dtype,
            requires_grad,
        )  # fmt: skip
    if not isinstance(mean, Handle) and not isinstance(std, Handle):
        raise TypeError("normal(): argument 'mean' (position 1) must be Tensor, or a size must be given, not float")
    return _normal_of_each(mean, std, generator, out)


def _normal_of_each(mean: Any, std: Any, generator: Any, out: Any) -> Any:
    spread: Any = 1.0
    scale = 1.0
    if isinstance(std, Handle):
        if std._spec.dtype.category == COMPLEX:
            raise RuntimeError("normal expects standard deviation to be non-complex")
        spread = std.detach()
        if std._spec.numel and not spread.min().item() >= 0:
            raise RuntimeError("normal expects all elements of std >= 0.0")
    else:
        scale = number("normal", "std", std)
    first = mean if isinstance(mean, Handle) else std
    around = mean.detach() if isinstance(mean, Handle) else number("normal", "mean", mean)
    tracked = mode.enabled and any(isinstance(each, Handle) and each._tracked for each in (mean, std))
    if out is not None and tracked:
        raise RuntimeError(
            "normal(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    shape = broadcast(*[each._spec.shape for each in (mean, std) if isinstance(each, Handle)])
    made = empty_layout(spec(shape, first._spec.dtype)) if out is None else resized("normal", out, shape)
    normal_(made, 0.0, scale, generator=generator)
    if isinstance(std, Handle):
        made.mul_(spread)
    made.add_(around)
    if tracked:
        if isinstance(mean, Handle) and isinstance(std, Handle):
            return _normal_of_two.call((mean, std, made), {})
        return _normal_around[1 if isinstance(mean, Handle) else 2].call((first, made), {})
    return made


functions.update(
    rand=rand, randn=randn, randint=randint, randperm=randperm, rand_like=rand_like, randn_like=randn_like,
    randint_like=randint_like, normal=normal,
)  # fmt: skip

