"""Ranges, tensors like others, triangles, buffers: sizes, dtypes, layouts, shared memory."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch


def test_ranges():
    assert torch.arange(5, 0, -2).tolist() == [5, 3, 1]
    assert torch.arange(0.5, 3, dtype=torch.int64).tolist() == [0, 1, 2]
    assert torch.arange(3.0).dtype is torch.float32
    assert torch.linspace(0, 1, 5)[-1] == 1
    with pytest.raises(RuntimeError, match="inconsistent with step sign"):
        torch.arange(3, 1)


@pytest.mark.parametrize("ends", [(-1.0, 1.0), (0.1, 7.3), (5.0, -3.7), (1e-3, 1e4)])
@pytest.mark.parametrize("steps", [1, 2, 7, 64, 1001])
def test_linspace_has_pytorchs_last_bits(ends: tuple[float, float], steps: int) -> None:
    oracle = pytest.importorskip("torch")
    expected = oracle.linspace(*ends, steps).numpy()
    assert np.array_equal(torch.linspace(*ends, steps).numpy(), expected)
    assert np.array_equal(torch.linspace(torch.tensor(ends[0]), ends[1], steps).numpy(), expected)


def test_errors_of_arguments_come_alone() -> None:
    for call in (lambda: torch.softmax(torch.zeros(2), "bad"), lambda: torch.zeros(2) + torch.zeros(3)):
        with pytest.raises((TypeError, RuntimeError)) as caught:
            call()
        assert caught.value.__suppress_context__


def test_another_number_is_not_another_rule():
    from flambeau.operators.ranges import _progression

    torch.arange(0.25, 3.25)
    rules = len(_progression.operator.rules)
    torch.arange(0.75, 3.75)
    assert len(_progression.operator.rules) == rules


def test_like_keeps_the_layout():
    x = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)
    for made in (torch.zeros_like(x), torch.full_like(x, 2.0), torch.empty_like(x)):
        assert made.stride() == x.stride()
    assert torch.ones_like(x, memory_format=torch.contiguous_format).is_contiguous()
    assert torch.zeros_like(torch.zeros(3, 1).expand(3, 4)).is_contiguous()


def test_triangles_and_diagonals():
    x = torch.arange(9.0).view(3, 3)
    assert torch.equal(x.tril(-1) + x.triu(1) + torch.diag(x.diag()), x)
    rows, columns = torch.tril_indices(3, 3)
    assert torch.equal(x[rows, columns], x[torch.ones(3, 3, dtype=torch.bool).tril()])
    assert torch.diag_embed(torch.ones(2, 3)).shape == (2, 3, 3)


def test_buffers_and_dlpack_share_memory():
    memory = bytearray(8)
    x = torch.frombuffer(memory, dtype=torch.int32)
    x[1] = 1
    assert memory[4] == 1
    y = torch.arange(3.0)
    array = np.from_dlpack(y)
    array[0] = 5
    assert y.tolist() == [5, 1, 2]
    shared = torch.from_dlpack(array)
    shared[1] = 7
    assert array[1] == 7 and torch.asarray(array, copy=True)[1] == 7
    with pytest.raises(ValueError, match="can't alias"):
        torch.asarray(y, dtype=torch.int64, copy=False)


def test_periodic_windows_are_symmetric_ones_without_the_last_point():
    for window in (torch.hann_window, torch.hamming_window, torch.blackman_window, torch.bartlett_window):
        assert torch.allclose(window(6), window(7, periodic=False)[:-1], atol=1e-6)
        assert window(1).tolist() == [1]
