"""``vmap``: a function of single examples as a function of batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..operators.declaration import functions
from ..tensor import Tensor
from .trees import Structure, flatten, spread, unflatten

__all__ = ["vmap"]


def _name(func: Any) -> str:
    return getattr(func, "__name__", repr(func))


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that applies ``func`` to each slice of its arguments and stacks the results.

    The slices are taken one after the other and recorded into the same program; nothing in ``func`` needs a rule for
    batches.

    Args:
        in_dims: the dimension of each argument to slice (None: the argument is whole in every call), nested like the arguments.
        out_dims: where the new dimension goes in each result; None: a result that is the same for all.
        randomness: "error", "different" (numbers of its own for each slice) or "same".
        chunk_size: how many slices PyTorch takes at a time; here it makes no difference.

    >>> import flambeau as torch
    >>> torch.vmap(torch.dot)(torch.ones(3, 2), torch.ones(3, 2))
    tensor([2., 2., 2.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure, dims, size = _sliced(func, in_dims, args)
        results: list[list[Any]] = []
        made: Structure | None = None
        # Of no slices there is still the shape of a result.
        rounds = [[_slice(each, dim, k) for each, dim in zip(leaves, dims)] for k in range(size)]
        if not size:
            rounds = [[_blank(each, dim) for each, dim in zip(leaves, dims)]]
        seeded = _Random(randomness)
        for slices in rounds:
            with seeded:
                outputs = func(*unflatten(slices, structure), **kwargs)
            flat, here = flatten(outputs)
            if made is None:
                made = here
            elif here != made:
                raise ValueError(f"vmap({_name(func)}, ...): `{_name(func)}` returned another structure for another slice")
            results.append(flat)
        assert made is not None
        return _stacked(func, out_dims, results, made, size)

    import functools

    try:
        return functools.wraps(func)(mapped)
    except (AttributeError, TypeError):
        return mapped


class _Random:
    """What random numbers the calls get."""

    def __init__(self, randomness: str) -> None:
        from ..random import default_generator

        self.randomness, self.generator = randomness, default_generator
        self.first: Any = None
        self.before: Any = None

    def __enter__(self) -> None:
        if self.randomness == "same":
            if self.first is None:
                self.first = self.generator.get_state()
            else:
                self.generator.set_state(self.first)
        elif self.randomness == "error":
            self.before = self.generator.get_state()

    def __exit__(self, kind: Any, *exception: Any) -> None:
        if self.randomness == "error" and kind is None and not bool((self.generator.get_state() == self.before).all()):
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
                "randomness flags on vmap or perform the randomness operation out of vmap"
            )


def _sliced(func: Any, in_dims: Any, args: tuple[Any, ...]) -> tuple[list[Any], Structure, list[Any], int]:
    """The arguments' leaves, how they are nested, which dimension of each is sliced, and into how many slices."""
    name = _name(func)
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a (potentially nested) tuple "
            f"matching the structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function "
            "with no inputs. The latter is unsupported."
        )
    leaves, structure = flatten(args)
    given = spread(in_dims, structure, (int,))
    if given is None:
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible with the structure of `inputs`. in_dims "
            f"has structure {flatten(in_dims)[1]} but inputs has structure {structure}."
        )
    dims: list[Any] = []
    sizes: list[int] = []
    for leaf, dim in zip(leaves, given):
        if dim is not None:
            if not isinstance(leaf, Tensor):
                raise ValueError(
                    f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={dim} for an input but the input is of type "
                    f"{type(leaf)}. We cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
                )
            if not -leaf.dim() <= dim < leaf.dim():
                raise ValueError(
                    f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={dim} for some input, but that input is a "
                    f"Tensor of dimensionality {leaf.dim()} so expected in_dim to satisfy -{leaf.dim()} <= in_dim < {leaf.dim()}."
                )
            dim %= leaf.dim()
            sizes.append(leaf._spec.shape[dim])
        dims.append(dim)
    if not sizes:
        raise ValueError(
            f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): at least one input must be mapped over, but all in_dims are None"
        )
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the mapped dimension"
        )
    return leaves, structure, dims, sizes[0]


def _slice(leaf: Any, dim: Any, index: int) -> Any:
    return leaf if dim is None else leaf.select(dim, index)


def _blank(leaf: Any, dim: Any) -> Any:
    if dim is None:
        return leaf
    shape = list(leaf._spec.shape)
    del shape[dim]
    return leaf.new_zeros(shape)


def _stacked(func: Any, out_dims: Any, results: list[list[Any]], structure: Structure, size: int) -> Any:
    name = _name(func)
    places = spread(out_dims, structure, (int,))
    if places is None and structure.kind is None and isinstance(out_dims, tuple) and len(out_dims) == 1:
        places = [out_dims[0]]
    if places is None:
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of `outputs`. "
            f"out_dims has structure {flatten(out_dims)[1]} but outputs has structure {structure}."
        )
    made = []
    for column, place in zip(zip(*results), places):
        first = column[0]
        if place is None:
            made.append(first)
            continue
        if not isinstance(first, Tensor):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(first)}. Did you mean to set out_dims= to "
                "None for output?"
            )
        rank = first.dim() + 1
        if not -rank <= place < rank:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but got {place})")
        if size:
            made.append(functions["stack"](list(column), place))
        else:
            shape = list(first._spec.shape)
            shape.insert(place % rank, 0)
            made.append(first.new_empty(shape))
    return unflatten(made, structure)
