"""Arithmetic of strided memory: which strides a result gets, which views exist, what is contiguous.

All functions are pure: shapes and strides (in elements) in, shapes and strides out. The rules are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

Ints = tuple[int, ...]


def contiguous(shape: Sequence[int]) -> Ints:
    """Row-major strides of ``shape``."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def channels_last(shape: Sequence[int]) -> Ints:
    """Strides of an N,C,*spatial* shape whose channels lie next to each other in memory."""
    strides = [0] * len(shape)
    step = 1
    for axis in (1, *range(len(shape) - 1, 1, -1), 0):
        strides[axis] = step
        step *= max(shape[axis], 1)
    return tuple(strides)


def is_contiguous(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether elements follow each other in row-major order; dimensions of size one may have any stride."""
    step = 1
    if 0 in shape:
        return True
    for size, stride in zip(reversed(shape), reversed(strides)):
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


def is_channels_last(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether a four- or five-dimensional tensor is stored channels last."""
    if 0 in shape:
        return True
    step = 1
    for axis in (1, *range(len(shape) - 1, 1, -1), 0):
        if shape[axis] != 1:
            if strides[axis] != step:
                return False
            step *= shape[axis]
    return True


def suggests_channels_last(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether strides order a 4d or 5d tensor channels last, gaps allowed; ties go to the contiguous order."""
    if len(shape) not in (4, 5) or strides[1] == 0:
        return False
    least = 0
    for axis in (1, *range(len(shape) - 1, 1, -1), 0):
        if shape[axis] == 0 or strides[axis] < least:
            return False
        if axis == 0 and least == strides[1]:
            return False  # N11 and NCHW with C == 1 look alike: contiguous wins
        least = strides[axis]
        if shape[axis] > 1:
            least *= shape[axis]
    return True


def is_dense(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether the elements fill their memory without gaps or overlaps, in whatever order."""
    if is_contiguous(shape, strides):
        return True
    step = 1
    for stride, size in sorted((stride, size) for stride, size in zip(strides, shape) if size != 1):
        if stride != step:
            return False
        step *= size
    return True


def extent(shape: Sequence[int], strides: Sequence[int]) -> int:
    """The number of elements of memory between the first and past the last element."""
    if 0 in shape:
        return 0
    return 1 + sum((size - 1) * stride for size, stride in zip(shape, strides))


def may_overlap(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether two indices may name one memory place (an expanded tensor, say)."""
    least = 0
    for stride, size in sorted((stride, size) for stride, size in zip(strides, shape) if size > 1):
        if stride <= least:
            return True
        least += stride * (size - 1)
    return False


def pointwise(shape: Sequence[int], operands: Sequence[tuple[Ints, Ints]]) -> Ints:
    """Strides of a pointwise result: the operands' common order of dimensions, without gaps.

    ``operands`` are (shape, strides) pairs. Dimensions are sorted by the strides of the first operand that tells
    two of them apart; broadcast dimensions say nothing. This is the rule PyTorch's tensor iterator follows.
    """
    shape = tuple(shape)
    if all(each[0] == shape for each in operands):
        if all(is_contiguous(*each) for each in operands):
            return contiguous(shape)
        if len(shape) == 4 and all(is_channels_last(*each) for each in operands):
            return channels_last(shape)
        first = operands[0]
        if is_dense(*first) and all(each[1] == first[1] for each in operands):
            return first[1]
    rank = len(shape)
    if rank < 2:
        return contiguous(shape)
    expanded = []
    for size, stride in operands:
        missing = rank - len(size)
        expanded.append(
            (0,) * missing
            + tuple(0 if one == 1 and shape[missing + i] != 1 else step for i, (one, step) in enumerate(zip(size, stride)))
        )
    order = list(range(rank - 1, -1, -1))  # fastest dimension first
    for i in range(1, rank):
        here = i
        for before in range(i - 1, -1, -1):
            decision = _compare(order[before], order[here], expanded, shape)
            if decision > 0:
                order[before], order[here] = order[here], order[before]
                here = before
            elif decision < 0:
                break
    return from_order(shape, order)


def _compare(first: int, second: int, operands: Sequence[Ints], shape: Sequence[int]) -> int:
    for strides in operands:
        a, b = strides[first], strides[second]
        if a == 0 or b == 0:
            continue
        if a < b:
            return -1
        if a > b:
            return 1
        if shape[first] > shape[second]:
            return 1
    return 0


def from_order(shape: Sequence[int], fastest_first: Sequence[int]) -> Ints:
    """Gapless strides with dimensions laid out in the given order, the fastest one first."""
    strides, step = [0] * len(shape), 1
    for axis in fastest_first:
        strides[axis] = step
        step *= max(shape[axis], 1)
    return tuple(strides)


def like(shape: Sequence[int], strides: Ints) -> Ints:
    """Strides of a copy that keeps the layout: the same where dense, else the same order without gaps."""
    if is_dense(shape, strides):
        return tuple(strides)
    return pointwise(shape, [(tuple(shape), tuple(strides))])


def broadcast(*shapes: Sequence[int]) -> Ints:
    """The shape that all ``shapes`` broadcast to.

    Raises:
        RuntimeError: two sizes differ and neither is one.
    """
    rank = max(map(len, shapes), default=0)
    result = [1] * rank
    for shape in shapes:
        for axis, size in enumerate(shape, rank - len(shape)):
            if size != 1 and size != result[axis]:
                if result[axis] != 1:
                    raise RuntimeError(
                        f"The size of tensor a ({result[axis]}) must match the size of tensor b ({size}) "
                        f"at non-singleton dimension {axis}"
                    )
                result[axis] = size
    return tuple(result)


def infer(shape: Sequence[int], count: int) -> Ints:
    """Fill in the one size given as -1 so that the shape has ``count`` elements.

    Raises:
        RuntimeError: the shape cannot have that many elements.
    """
    unknown = [axis for axis, size in enumerate(shape) if size == -1]
    if any(size < -1 for size in shape):
        raise RuntimeError(f"invalid shape dimension {next(size for size in shape if size < -1)}")
    if len(unknown) > 1:
        raise RuntimeError("only one dimension can be inferred")
    known = prod(size for size in shape if size != -1)
    if unknown:
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size -1 "
                "can be any value and is ambiguous"
            ) if count == 0 else RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")
        if count % known:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")
        return tuple(count // known if size == -1 else size for size in shape)
    if known != count:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")
    return tuple(shape)


def view(shape: Ints, strides: Ints, wanted: Ints) -> Ints | None:
    """Strides under which the same memory has shape ``wanted``, or None when only a copy can.

    Works from the last dimension back over runs of dimensions that lie contiguously in each other.
    """
    if 0 in shape:
        return tuple(strides) if tuple(wanted) == tuple(shape) else contiguous(wanted)
    if not shape:
        return (1,) * len(wanted)
    result = [0] * len(wanted)
    to = len(wanted) - 1
    step, run, run_wanted = strides[-1], 1, 1
    for axis in range(len(shape) - 1, -1, -1):
        run *= shape[axis]
        if axis == 0 or (shape[axis - 1] != 1 and strides[axis - 1] != run * step):
            while to >= 0 and (run_wanted < run or wanted[to] == 1):
                result[to] = run_wanted * step
                run_wanted *= wanted[to]
                to -= 1
            if run_wanted != run:
                return None
            if axis > 0:
                step, run, run_wanted = strides[axis - 1], 1, 1
    return tuple(result) if to == -1 else None


def expand(shape: Ints, strides: Ints, wanted: Sequence[int]) -> tuple[Ints, Ints]:
    """Shape and strides of a broadcast view; -1 keeps a size.

    Raises:
        RuntimeError: a size cannot be broadcast to the wanted one.
    """
    missing = len(wanted) - len(shape)
    if missing < 0:
        raise RuntimeError(
            f"expand(torch.FloatTensor{{{list(shape)}}}, size={list(wanted)}): the number of sizes provided "
            f"({len(wanted)}) must be greater or equal to the number of dimensions in the tensor ({len(shape)})"
        )
    sizes, steps = list(wanted), [0] * len(wanted)
    for axis in range(len(wanted) - 1, -1, -1):
        if axis < missing:
            if wanted[axis] < 0:
                raise RuntimeError(
                    f"The expanded size of the tensor ({wanted[axis]}) isn't allowed in a leading, non-existing "
                    f"dimension {axis}"
                )
            following = axis + 1 < len(wanted)
            steps[axis] = sizes[axis + 1] * steps[axis + 1] if following else 1
            if sizes[axis] != 1:
                steps[axis] = 0
            continue
        size, step = shape[axis - missing], strides[axis - missing]
        if wanted[axis] in (-1, size):
            sizes[axis], steps[axis] = size, step
        elif size == 1 and wanted[axis] >= 0:
            steps[axis] = 0
        else:
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted[axis]}) must match the existing size ({size}) at non-singleton "
                f"dimension {axis}.  Target sizes: {list(wanted)}.  Tensor sizes: {list(shape)}"
            )
    return tuple(sizes), tuple(steps)


def normalize_axis(axis: int, rank: int, name: str = "Dimension") -> int:
    """``axis`` counted from the front; a 0-dimensional tensor has axes -1 and 0.

    Raises:
        IndexError: out of range.
    """
    bound = max(rank, 1)
    if not -bound <= axis < bound:
        raise IndexError(
            f"{name} out of range (expected to be in range of [{-bound}, {bound - 1}], but got {axis})"
        )
    return axis + bound if axis < 0 else axis


def normalize_axes(axes: int | Sequence[int] | None, rank: int, empty_is_all: bool = True) -> Ints:
    """Axes counted from the front; None (and, by default, no axes) means all of them.

    Raises:
        IndexError: an axis is out of range.
        RuntimeError: an axis appears twice.
    """
    if axes is None or (empty_is_all and not isinstance(axes, int) and len(axes) == 0):
        return tuple(range(rank))
    found = tuple(normalize_axis(axis, rank) for axis in ((axes,) if isinstance(axes, int) else axes))
    if len(set(found)) != len(found):
        twice = next(axis for axis in found if found.count(axis) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return found if rank else ()
