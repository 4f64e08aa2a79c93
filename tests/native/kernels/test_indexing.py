"""Gathers and scatters against the reference meanings."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from tests.native.harness import Failed, run_primitive

import flambeau.native.kernels.indexing  # noqa: F401  (declares the lowerings)
from flambeau.primitives.registry import primitives

KINDS = [np.float32, np.float64, np.float16, ml_dtypes.bfloat16, bool, np.uint8, np.int32, np.int64]


def numbers(shape: tuple[int, ...], kind: Any = np.float32, seed: int = 0) -> Any:
    """Random numbers of a few values, so that sums in narrow dtypes are exact."""
    random = np.random.default_rng(seed)
    return (random.random(shape) > 0.5) if kind is bool else random.integers(0, 4, shape).astype(kind)


def places(shape: tuple[int, ...], size: int, wraps: bool = True, seed: int = 1, kind: Any = np.int64) -> Any:
    """Random indices, negative ones too where they wrap."""
    return np.random.default_rng(seed).integers(-size if wraps else 0, size, shape).astype(kind)


def check(name: str, *operands: Any, **parameters: Any) -> None:
    """Compare with the reference meaning; all pieces, and some at a time."""
    expected = primitives[name].reference(*operands, **parameters)
    for pieces in (1, 3):
        found = run_primitive(name, *operands, pieces=pieces, **parameters)
        assert found is not None
        assert found[0].shape == expected.shape and found[0].dtype == expected.dtype
        np.testing.assert_array_equal(found[0], expected)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_gather_at(kind: Any) -> None:
    x = numbers((7, 5, 6), kind)
    check("gather_at", x, places((4,), 7), axes=(0,))
    check("gather_at", x, places((2, 3), 5), axes=(1,))
    check("gather_at", x, places((11,), 6, kind=np.int32), axes=(2,))
    check("gather_at", x, places((4,), 7), places((4,), 5), axes=(0, 1))
    check("gather_at", x, places((4, 1), 7), places((3,), 6), axes=(0, 2))
    check("gather_at", x, places((4, 1), 7), places((1, 3), 5), places((), 6), axes=(0, 1, 2))
    check("gather_at", x.transpose(2, 0, 1)[::-1], places((4,), 7)[::-1], axes=(1,))


def test_gather_at_sizes() -> None:
    check("gather_at", numbers((100, 128)), places((12, 64), 100, wraps=False), axes=(0,), wraps=False)
    check("gather_at", numbers((300, 40)), places((500,), 40), axes=(1,))
    check("gather_at", numbers((5, 3)), places((0,), 5), axes=(0,))
    check("gather_at", numbers((1000,)), places((20000,), 1000), axes=(0,))
    check("gather_at", np.broadcast_to(numbers((1, 20)), (9, 20)), places((30,), 9), axes=(0,))


@pytest.mark.parametrize(
    ("kind", "combine"),
    [(np.float32, "multiply"), (np.float32, "minimum"), (np.int64, "maximum"), *((kind, "add") for kind in KINDS),
     (np.float32, "assign"), (bool, "assign")],
    ids=str,
)  # fmt: skip
def test_put_at(kind: Any, combine: str) -> None:
    x = numbers((7, 5, 36), kind)

    def put(update: Any, *indices: Any, axes: tuple[int, ...]) -> None:
        check("put_at", x, update, *indices, axes=axes, combine=combine)

    put(numbers((4, 5, 36), kind), places((4,), 7), axes=(0,))
    put(numbers((7, 30, 36), kind), places((30,), 5), axes=(1,))
    put(numbers((12, 36), kind), places((12,), 7), places((12,), 5), axes=(0, 1))
    put(numbers((4, 3, 5), kind), places((4, 1), 7), places((3,), 36), axes=(0, 2))
    put(np.array(numbers((), kind)), places((9,), 7), axes=(0,))
    put(numbers((1, 5, 1), kind), places((9,), 7), axes=(0,))
    put(numbers((7, 5, 9), kind), places((9,), 36), axes=(2,))


def test_embedding_gradient() -> None:
    update = np.random.default_rng(1).standard_normal((12, 64, 128)).astype(np.float32)
    index = places((12, 64), 65, wraps=False)
    check("put_at", np.zeros((65, 128), np.float32), update, index, axes=(0,), combine="add", wraps=False)
    check("put_at", np.zeros((65, 130), np.float32), update[..., :1], index, axes=(0,), combine="add", wraps=False)
    check("put_at", numbers((4, 3)), numbers((0, 3)), places((0,), 4), axes=(0,), combine="add")


@pytest.mark.parametrize("kind", [np.float32, ml_dtypes.bfloat16, bool, np.int64], ids=str)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_along(kind: Any, axis: int) -> None:
    x = numbers((6, 7, 8), kind)
    for shape in ((6, 7, 8), (3, 5, 4)):
        index = places(shape, x.shape[axis], wraps=False)
        check("gather_along", x, index, axis=axis)
        check("gather_along", x.transpose(0, 2, 1).copy().transpose(0, 2, 1)[::-1], index.astype(np.int32), axis=axis)
        for combine in ("assign", "add", "maximum"):
            check("put_along", x, index, numbers(shape, kind, 3), axis=axis, combine=combine)
    check("put_along", x, index, np.array(numbers((), kind)), axis=axis, combine="assign")


def test_along_sizes() -> None:
    x = np.random.default_rng(1).standard_normal((200, 100)).astype(np.float32)
    check("gather_along", x, places((200, 1), 100, wraps=False), axis=1)
    check("gather_along", x, places((200, 100), 100, wraps=False), axis=1)
    check(
        "put_along",
        x,
        places((300, 100), 200, wraps=False),
        places((300, 100), 9).astype(np.float32),
        axis=0,
        combine="add",
    )
    check("gather_along", x, places((0, 100), 200, wraps=False), axis=0)
    check("put_along", x, places((0, 100), 200, wraps=False), numbers((0, 100)), axis=0, combine="add")


def test_out_of_bounds_fails_and_writes_nothing_elsewhere() -> None:
    x, update = numbers((5, 20)), numbers((3, 20))
    for index in (np.array([0, 5, 1]), np.array([0, -6, 1]), np.array([2**62, 0, 0])):
        with pytest.raises(Failed):
            run_primitive("gather_at", x, index, axes=(0,))
        with pytest.raises(Failed):
            run_primitive("put_at", x, update, index, axes=(0,), combine="add")
        with pytest.raises(Failed):
            run_primitive("gather_along", x, index[:, None], axis=0)
        with pytest.raises(Failed):
            run_primitive("put_along", x, index[:, None], update[:, :1], axis=0, combine="add")
    with pytest.raises(Failed):
        run_primitive("gather_at", x, np.array([-1]), axes=(0,), wraps=False)
    with pytest.raises(Failed):
        run_primitive("gather_along", x, np.array([[-1]]), axis=0)


def test_accumulate_strided() -> None:
    x = np.random.default_rng(1).standard_normal((4, 5, 6)).astype(np.float32)
    check("accumulate_strided", x, strides=(1, 0, 7), offset=2, count=50)
    check("accumulate_strided", x.T, strides=(1, 2, 3), offset=0, count=40)
    check("accumulate_strided", x[:0], strides=(1, 2, 3), offset=0, count=40)
