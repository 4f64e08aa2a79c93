"""Max pooling over windows at random steps (Graham, "Fractional max-pooling", 2014)."""

from __future__ import annotations

from typing import Any

from ..autograd.plans import called
from ..core.dtypes import int64
from ..operators.convolution import repeated
from ..operators.declaration import functions


def _starts(samples: Any, size: int, count: int, kernel: int) -> Any:
    """Where windows begin along one dimension, (N, C, count), each row by its random sample."""
    last = samples.new_full((*samples.shape, 1), size - kernel).to(int64)
    if count == 1:
        return last
    step = samples.new_full((), size - kernel) / (count - 1)
    steps = functions["arange"](count - 1, dtype=samples.dtype)
    offset = (samples * step).trunc().to(int64).unsqueeze(-1)
    begin = ((steps + samples.unsqueeze(-1)) * step).trunc().to(int64) - offset
    return functions["cat"]((begin, last), -1)


def _pool(
    rank: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, return_indices: bool, samples: Any
) -> Any:
    name = f"fractional_max_pool{rank}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if input.dim() not in (rank + 1, rank + 2):
        raise RuntimeError(f"{name}(): Expected {rank + 1}D or {rank + 2}D tensor, but got: {list(input.shape)}")
    kernel = repeated(kernel_size, rank, "kernel_size", name)
    sizes = tuple(input.shape[-rank:])
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, (list, tuple)) else (output_ratio,) * rank
        if len(ratios) != rank:
            raise ValueError(f"{name} requires output_ratio to either be a single float or tuple of floats")
        output_size = [int(n * ratio) for n, ratio in zip(sizes, ratios)]
    out = repeated(output_size, rank, "output_size", name)
    for n, k, o in zip(sizes, kernel, out):
        if o + k - 1 > n:
            raise RuntimeError(f"{name}(): pool size {k} and output size {o} too large relative to input size {n}")
    x = input if input.dim() == rank + 2 else input.unsqueeze(0)
    batch, channels = x.shape[:2]
    if samples is None:
        samples = functions["rand"](batch, channels, rank, dtype=input.dtype)
    elif samples.dim() != 3 or samples.shape[0] < batch or tuple(samples.shape[1:]) != (channels, rank):
        raise RuntimeError(
            f"{name}(): expected _random_samples of shape {[batch, channels, rank]}, but got {list(samples.shape)}"
        )
    samples = samples[:batch]
    flat = None
    for axis, (n, k, o) in enumerate(zip(sizes, kernel, out)):
        # In two dimensions PyTorch spends the first sample on the width.
        sample = samples[..., axis if rank == 3 else rank - 1 - axis]
        place = _starts(sample, n, o, k).unsqueeze(-1) + functions["arange"](k)
        place = place.reshape(batch, channels, *(o if each == axis else 1 for each in range(rank)),
                              *(k if each == axis else 1 for each in range(rank)))  # fmt: skip
        flat = place if flat is None else flat * n + place
    area = 1
    for k in kernel:
        area *= k
    flat = flat.expand(batch, channels, *out, *kernel).reshape(batch, channels, *out, area)  # type: ignore[union-attr]
    windows = x.flatten(2).gather(2, flat.flatten(2)).reshape(flat.shape)
    best = functions["where"](windows.isnan(), float("inf"), windows.detach()).argmax(-1, keepdim=True)
    values = windows.gather(-1, best).squeeze(-1)
    indices = flat.gather(-1, best).squeeze(-1)
    if input.dim() == rank + 1:
        values, indices = values.squeeze(0), indices.squeeze(0)
    values = called(values, f"FractionalMaxPool{rank}DBackward0")
    return (values, indices) if return_indices else values


def fractional_max_pool2d(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """The greatest element of windows whose steps are drawn at random, so that any output size can be had.

    >>> import flambeau as torch
    >>> torch.nn.functional.fractional_max_pool2d(torch.ones(1, 1, 9, 9), 2, output_ratio=0.7).shape
    torch.Size([1, 1, 6, 6])
    """
    return _pool(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool2d_with_indices(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """:func:`fractional_max_pool2d` with the indices of the greatest elements."""
    return _pool(2, input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool3d(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """:func:`fractional_max_pool2d` over three dimensions."""
    return _pool(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d_with_indices(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """:func:`fractional_max_pool3d` with the indices of the greatest elements."""
    return _pool(3, input, kernel_size, output_size, output_ratio, True, _random_samples)
