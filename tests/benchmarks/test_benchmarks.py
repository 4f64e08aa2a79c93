"""The benchmarks count what they say they count, and their rows train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flambeau

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder's files can be imported by their names, as they are where they run."""
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are compiled before their first run."""
    from flambeau.native.policy import policy

    flambeau.compiler.reset()
    monkeypatch.setattr(policy, "mode", "native")


def test_work_of_a_product(benchmarks: None, native: None) -> None:
    from work import observe

    a, b = flambeau.ones(64, 96), flambeau.ones(96, 32)

    def call() -> None:
        result = a @ b
        flambeau.synchronize()
        del result

    call()  # in whose program the data is made, too
    call()
    found = observe(call)
    assert found.products == 2 * 64 * 96 * 32 and found.others == 0 and found.interpreted == 0
    assert found.traffic == 4 * (64 * 96 + 96 * 32 + 64 * 32) and found.kernels == 1 and found.seconds > 0


def test_work_of_a_convolution_counts_by_its_definition(benchmarks: None, native: None) -> None:
    from work import observe

    x, weight = flambeau.ones(2, 4, 8, 8), flambeau.ones(6, 4, 3, 3, requires_grad=True)

    def call() -> None:
        flambeau.nn.functional.conv2d(x, weight, padding=1).sum().backward()
        flambeau.synchronize()
        weight.grad = None

    call()  # in whose program the data is made, too
    call()
    forward = 2 * (2 * 6 * 8 * 8) * (4 * 3 * 3)
    assert observe(call).products in (forward, 2 * forward)  # nobody looks at the sum, so only the gradient need be computed


def test_interpreted_programs_are_noticed(benchmarks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from work import observe

    from flambeau.native.policy import policy

    monkeypatch.setattr(policy, "mode", "reference")
    flambeau.compiler.reset()
    x = flambeau.ones(3)
    assert observe(lambda: (x * 2).tolist()).interpreted == 1


def test_rows_are_named_once_and_train(benchmarks: None) -> None:
    from rows import NAMED, ROWS

    assert len(NAMED) == len(ROWS) == 17
    for name in ("linear", "logistic", "mlp", "cnn4"):
        flambeau.manual_seed(0)
        step = NAMED[name].make(flambeau)
        losses = [step().item() for _ in range(3)]
        assert np.isfinite(losses).all() and losses[2] < losses[0]


def test_turns_alternate(benchmarks: None) -> None:
    from side_by_side import measure

    order: list[str] = []
    found = measure({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, number=2, rounds=3)
    assert "".join(order) == "aaabbb" * 3 and set(found) == {"a", "b"}


def test_the_readme_keeps_what_stands_around_the_tables(benchmarks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import steps

    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{steps.BEGIN}\nold\n{steps.END}\nafter\n")
    monkeypatch.setattr(steps, "README", readme)
    steps.write_readme(["| a |", "| b |"])
    assert readme.read_text() == f"before\n{steps.BEGIN}\n\n| a |\n\n| b |\n\n{steps.END}\nafter\n"
    assert steps.BEGIN in (FOLDER / "README.md").read_text()


def test_a_table_lines_up(benchmarks: None) -> None:
    import steps

    lines = steps.table(["row", "time"], [["long title", "1 ms"], ["b", "20.5 µs"]]).splitlines()
    assert {len(each) for each in lines} == {len(lines[0])}
    assert [steps.amount(each) for each in (40, 4.5e3, 2.15e9)] == ["40", "4.5 k", "2.15 G"]
    assert [steps.spell(each) for each in (1.5, 2.5e-3, 3e-6)] == ["1.5 s", "2.5 ms", "3 µs"]


def test_fresh_processes_say_what_they_took(benchmarks: None) -> None:
    import fresh

    found: Any = fresh.run("flambeau", "linear", 3, FLAMBEAU_TIER="reference", PYTHONPATH=str(FOLDER.parent / "src"))
    assert found["seconds"] > 0 and 10e6 < found["memory"] < 2e9
