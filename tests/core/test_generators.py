"""``Generator`` has PyTorch's interface, and each reads the other's saved state."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from flambeau.core import sampling
from flambeau.core.generators import Generator

torch = pytest.importorskip("torch")

SEEDS = (0, 1, 3, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**64 - 1, -1, -(2**63), 67280421310721)


def draw(generator: Generator, count: int = 5) -> list[float]:
    return sampling.uniform(generator, count, np.float64).tolist()


def draw_theirs(generator: Any, count: int = 5) -> list[float]:
    return torch.rand(count, dtype=torch.float64, generator=generator).tolist()


def test_a_new_generator_is_at_pytorchs_seed() -> None:
    ours, theirs = Generator(), torch.Generator()
    assert ours.initial_seed() == theirs.initial_seed()
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())
    assert draw(ours) == draw_theirs(theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_seeds(seed: int) -> None:
    ours, theirs = Generator(), torch.Generator()
    assert ours.manual_seed(seed) is ours
    theirs.manual_seed(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())
    assert draw(ours) == draw_theirs(theirs)
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())


@pytest.mark.parametrize("taken", (0, 1, 2, 623, 624, 625, 1248, 1249))
def test_the_state_goes_both_ways(taken: int) -> None:
    ours, theirs = Generator().manual_seed(8), torch.Generator().manual_seed(8)
    sampling.uniform(ours, taken, np.float32)
    torch.rand(taken, generator=theirs)
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())
    onward = Generator().set_state(theirs.get_state().numpy())
    assert onward.initial_seed() == 8
    assert np.array_equal(onward.get_state(), theirs.get_state().numpy())
    theirs_onward = torch.Generator().set_state(torch.from_numpy(ours.get_state()))
    expected = draw(ours)
    assert draw(onward) == expected and draw_theirs(theirs_onward) == expected


def test_the_normal_number_in_reserve_is_part_of_the_state() -> None:
    ours, theirs = Generator().manual_seed(8), torch.Generator().manual_seed(8)
    sampling.normal(ours, 3, np.float32)
    torch.randn(3, generator=theirs)
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())
    onward = Generator().set_state(theirs.get_state().numpy())
    expected = sampling.normal(ours, 3, np.float64).tolist()
    assert sampling.normal(onward, 3, np.float64).tolist() == expected
    assert torch.randn(3, dtype=torch.float64, generator=theirs).tolist() == expected
    ours.manual_seed(8)
    assert ours.next_normal is None


def test_copies_go_their_own_way() -> None:
    original = Generator().manual_seed(4)
    sampling.normal(original, 3, np.float32)
    copies = [original.clone_state(), pickle.loads(pickle.dumps(original)), copy.deepcopy(original)]
    expected = draw(original)
    for twin in copies:
        assert twin.initial_seed() == 4 and draw(twin) == expected


def test_fresh_seeds_differ() -> None:
    generator = Generator()
    first, second = generator.seed(), generator.seed()
    assert first != second and generator.initial_seed() == second


def test_device() -> None:
    assert Generator(device="cpu").device.type == "cpu"
    with pytest.raises(RuntimeError):
        Generator("cuda")
    with pytest.raises(RuntimeError, match="Expected one of cpu"):
        Generator("foo")


@pytest.mark.parametrize("seed", (2**64, -(2**63) - 1, 1.5, "a", None))
def test_seeds_that_are_refused(seed: Any) -> None:
    with pytest.raises(Exception) as theirs:
        torch.Generator().manual_seed(seed)
    with pytest.raises(type(theirs.value)) as ours:
        Generator().manual_seed(seed)
    assert str(theirs.value) in str(ours.value)


@pytest.mark.parametrize(
    "state",
    (np.zeros(10, np.uint8), np.zeros(5056, np.uint8), np.zeros(5056, np.float32)),
    ids=("short", "zero", "float"),
)
def test_states_that_are_refused(state: Any) -> None:
    with pytest.raises((RuntimeError, TypeError)) as theirs:
        torch.Generator().set_state(torch.from_numpy(state))
    generator = Generator().manual_seed(1)
    with pytest.raises(type(theirs.value)) as ours:
        generator.set_state(state)
    assert str(theirs.value) in str(ours.value)
    assert draw(generator) == draw(Generator().manual_seed(1))


def test_offsets_are_not_for_the_cpu() -> None:
    with pytest.raises(RuntimeError, match="does not use offset"):
        Generator().get_offset()
    with pytest.raises(RuntimeError, match="does not use offset"):
        Generator().set_offset(3)
