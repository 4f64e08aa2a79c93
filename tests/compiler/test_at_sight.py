"""What ``torch.compile`` is asked for is compiled before it first runs, with the same numbers as ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flambeau as torch
from flambeau.native.policy import AT_SIGHT, policy
from flambeau.tracing.cache import cache
from flambeau.tracing.program import tiers


@pytest.fixture(autouse=True)
def default_policy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(policy, "mode", "default")
    torch.synchronize()
    torch.compiler.reset()
    yield
    torch.synchronize()
    torch.compiler.reset()


def compiled(run: Any) -> int:
    """How many programs are compiled while ``run`` runs."""
    policy.wait()  # what earlier tests have asked for is not counted
    before = policy.compiled
    run()
    return policy.compiled - before


def test_the_first_run_is_compiled() -> None:
    x = torch.arange(4.0)
    torch.synchronize()
    plain, asked = (lambda x: torch.exp(x) * 3), torch.compile(lambda x: torch.exp(x) * 3)
    expected = plain(x)
    assert compiled(torch.synchronize) == 0
    torch.compiler.reset()
    made = asked(x)
    assert tiers.depth == 0 and compiled(torch.synchronize) == 1
    assert cache.programs[-1].native is not None and cache.programs[-1].runs == 0
    torch.testing.assert_close(made, expected)
    assert compiled(lambda: asked(x).tolist()) == 0  # known by now


def test_only_until_the_next_sync_point() -> None:
    x = torch.ones(4)
    torch.synchronize()
    double = torch.compile(lambda x: x * 2)
    assert compiled(lambda: double(x).tolist()) == 1
    assert compiled(lambda: (x * 5 + 1).tolist()) == 0


def test_sync_points_within() -> None:
    x = torch.ones(4)
    torch.synchronize()

    @torch.compile
    def looks(x: Any) -> Any:
        return x * 2 if (x + 1).sum().item() > 0 else x

    assert compiled(lambda: looks(x).tolist()) == 2


def test_a_training_step_is_one_program() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(5, 3), torch.randn(5, 2)
    torch.synchronize()
    asked = torch.compile(model)
    losses = []

    def step() -> None:
        loss = torch.nn.functional.mse_loss(asked(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    assert compiled(step) >= 1 and cache.programs[-1].native is not None
    step()
    assert losses[1] < losses[0]


def test_modules_compiled_in_place() -> None:
    model, x = torch.nn.Linear(3, 2), torch.ones(1, 3)
    torch.synchronize()
    model.compile()
    assert compiled(lambda: model(x).detach().tolist()) == 1


@pytest.mark.parametrize("stance", ["force_eager", "eager_on_recompile"])
def test_stances_that_wait(stance: str) -> None:
    x = torch.ones(4)
    torch.synchronize()
    double = torch.compile(lambda x: x * 2)
    with torch.compiler.set_stance(stance):
        assert compiled(lambda: double(x).tolist()) == 0
    torch.compiler.reset()
    assert compiled(lambda: double(x).tolist()) == 1


def test_an_error_leaves_no_mark() -> None:
    @torch.compile
    def fails(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fails(torch.ones(1))
    assert tiers.depth == 0


def test_ever_new_shapes_are_not_compiled_at_sight_for_ever() -> None:
    double = torch.compile(lambda x: x * 2)
    inputs = [torch.ones(n) for n in range(1, AT_SIGHT + 4)]
    torch.synchronize()
    assert compiled(lambda: [double(x).tolist() for x in inputs]) == AT_SIGHT
    torch.compiler.reset()
    assert compiled(lambda: double(inputs[-1]).tolist()) == 1


def test_what_cannot_be_compiled_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise ValueError("no")

    monkeypatch.setattr(policy, "compile", refuse)
    failures = policy.failures
    x = torch.ones(2)
    torch.synchronize()
    assert torch.compile(lambda x: x * 2)(x).tolist() == [2, 2] and policy.failures == failures + 1


def test_artifacts_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flambeau.native import code_cache
    from flambeau.native.disk_cache import DiskCache, disk_cache

    here = DiskCache(tmp_path / "here" / disk_cache.__wrapped__().folder.name)  # type: ignore[union-attr]
    there = DiskCache(tmp_path / "there" / here.folder.name)  # type: ignore[union-attr]
    monkeypatch.setattr(code_cache, "_addresses", {})
    for module in (code_cache, __import__("flambeau.native.disk_cache", fromlist=["disk_cache"])):
        monkeypatch.setattr(module, "disk_cache", lambda: here)
    assert torch.compiler.save_cache_artifacts() is None
    x = torch.ones(7)
    torch.synchronize()
    torch.compile(lambda x: torch.tanh(x) * 1.5)(x).tolist()
    saved = torch.compiler.save_cache_artifacts()
    assert saved is not None
    content, info = saved
    names = info.artifacts["kernels"]
    assert names and not info.empty()
    monkeypatch.setattr("flambeau.native.disk_cache.disk_cache", lambda: there)
    loaded = torch.compiler.load_cache_artifacts(content)
    assert loaded is not None and loaded.artifacts["kernels"] == names
    assert all(there.read(name) == here.read(name) for name in names)
    stranger = DiskCache(tmp_path / "another-processor")
    monkeypatch.setattr("flambeau.native.disk_cache.disk_cache", lambda: stranger)
    assert torch.compiler.load_cache_artifacts(content) is None
    with pytest.raises(RuntimeError, match="save_cache_artifacts"):
        torch.compiler.load_cache_artifacts(b"nothing of the kind")
