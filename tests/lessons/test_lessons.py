"""Every lesson runs from the installed package, prints what its text says it prints, and its claims hold."""

from __future__ import annotations

import atexit
import functools
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.lessons.recording import mismatch, recorded, split_cells

for package in ("setuptools", "sklearn", "matplotlib", "PIL", "tensorboard"):
    if find_spec(package) is None:
        pytest.skip(f"the lessons need {package}", allow_module_level=True)

REPOSITORY = Path(__file__).parents[2]
LESSONS = {path.stem.partition("_")[0]: path for path in sorted((REPOSITORY / "lessons").glob("[0-9]*.py"))}
DATA = Path(os.environ.get("FLAMBEAU_DATA", REPOSITORY.parent / "shared" / "data"))
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"

# How far a printed number may be from the recorded one: the order of additions differs between machines and tiers, and
# training for many steps lets the difference grow.
TOLERANCES = {"09": 0.03, "13": 0.05, "14": 0.05, "16": 0.05}
# Lesson 0 shows an inner form that may change; in lesson 15 so few pictures decide that the output is one of many. What they claim is
# tested instead.
NOT_COMPARED = {"00", "15"}


@dataclass
class Run:
    """What a lesson printed, and the pictures it drew."""

    output: str
    pictures: list[str]

    def numbers(self, label: str) -> list[float]:
        """The first number after each place where `label` is printed."""
        found = [float(each) for each in re.findall(rf"{re.escape(label)}\s*({NUMBER})", self.output)]
        assert found, f"{label!r} is not followed by a number in\n{self.output}"
        return found

    def number(self, label: str) -> float:
        return self.numbers(label)[0]


@functools.cache
def installed() -> Path:
    """A folder with the package as a wheel has it, lessons within."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    command = [sys.executable, "setup.py", "-q", "build", "--build-base", f"{folder.name}/work", "--build-lib", f"{folder.name}/package"]
    built = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return Path(folder.name, "package")


@functools.cache
def run(lesson: str, *arguments: str) -> Run:
    """Run a lesson in a folder of its own, which must stay empty."""
    with tempfile.TemporaryDirectory() as folder:
        here, out = Path(folder, "here"), Path(folder, "out")
        here.mkdir()
        draws = "--out" in LESSONS[lesson].read_text()
        command = [sys.executable, "-m", "flambeau", "lesson", lesson, *(["--out", str(out)] if draws else []), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(installed()), "TMPDIR": folder}
        ended = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=300)
        assert ended.returncode == 0, ended.stderr
        assert "Warning" not in ended.stderr, ended.stderr
        assert not list(here.iterdir())
        return Run(ended.stdout, sorted(path.name for path in out.rglob("*.png")))


@pytest.mark.parametrize("lesson", LESSONS)
def test_prints_what_is_recorded(lesson: str) -> None:
    text = LESSONS[lesson].read_text()
    found = [line.rstrip() for line in run(lesson).output.rstrip().splitlines()]
    expected = [line for cell in split_cells(text) for line in recorded(cell)]
    assert expected, "nothing is recorded"
    if lesson not in NOT_COMPARED:
        assert mismatch(expected, found, TOLERANCES.get(lesson, 0.01)) is None
    assert [name for name in re.findall(r'out / "(.*\.png)"', text) if name not in run(lesson).pictures] == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_reads_as_a_text(lesson: str) -> None:
    """A title, an introduction, explained cells, and each cell of code is code of its own for a notebook."""
    text = LESSONS[lesson].read_text()
    introduction, *cells = split_cells(text)
    title, blank, *rest = introduction.strip().strip('"').splitlines()
    assert title and not title.endswith(".") and not blank and len(" ".join(rest)) > 150
    explained = [cell for cell in cells if cell.startswith("# %% [markdown]\n")]
    assert len(explained) >= 3
    for cell in cells:
        if cell in explained:
            assert all(line.startswith("#") for line in cell.splitlines() if line)
        else:
            compile(cell, lesson, "exec")


def test_all_lessons_are_there() -> None:
    assert sorted(path.name for path in installed().glob("flambeau/lessons/*.py")) == [path.name for path in LESSONS.values()]
    assert list(LESSONS) == [
        "00", "01", "02", "03", "04", "05a", "05b", "05c", "05d", "05e", "06", "07", "08", "09", "10", "11", "12", "13",
        "14", "15", "16", "17",
    ]  # fmt: skip


def test_00_the_program_is_the_step() -> None:
    output = run("00").output
    assert output.count("weights: [1.0, -2.0, 0.5]") == 2
    assert "tensor([10., 10., 10.]) tensor([2., 2., 2.])" in output
    operators = [line.split("= ")[1].split("(")[0] for line in output.splitlines() if "(v" in line and "= " in line]
    assert operators.count("matrix_multiply") == 2 and operators[-1] == "subtract"
    assert run("00").number("ten more steps:") == 10 and ", 0 made" in output
    assert run("00").number("with 500 points:") == 1
    assert run("00").number("steps without Python:") == 28
    losses = re.findall(r"epoch\s+\d+: loss .*", output)
    assert len(losses) == 6 and losses[:3] == losses[3:]
    assert "looks at a number" in output


def test_01_names_what_is_installed() -> None:
    import numpy

    import flambeau

    output = run("01").output
    assert f"flambeau: {flambeau.__version__}\n" in output and f"NumPy: {numpy.__version__}\n" in output
    assert run("01").number("Threads used:") >= 1
    assert float(re.findall(rf"({NUMBER}) GFLOP/s", output)[0]) > 0


def test_04_by_hand_as_autograd() -> None:
    assert run("04").numbers("dL/dw =") == run("04").numbers("dL/dw:") == [-2]
    assert run("04").numbers("∂loss/∂w =") == [-2]


@pytest.mark.parametrize("lesson", ["05a", "05b", "05c", "05d", "05e"])
def test_05_every_variant_finds_the_spring(lesson: str) -> None:
    assert run(lesson).numbers("prediction for 5 cm" + (" after training:" if lesson != "05e" else ":"))[-1] == (
        pytest.approx(9.612 if lesson == "05a" else 10, abs=0.005)
    )
    assert run(lesson).pictures == [f"{lesson}_loss.png"]


def test_05_the_variants_are_the_same_calculation() -> None:
    losses = {lesson: dict(re.findall(r"epoch\s+(\d+): w = .*, loss = (\S+)", run(lesson).output)) for lesson in ("05a", "05b")}
    assert float(losses["05a"]["11"]) == pytest.approx(float(losses["05b"]["11"]), rel=1e-5)
    first = re.findall(r"epoch\s+\d+: .*", run("05c").output)[:10]
    assert first == re.findall(r"epoch\s+\d+: .*", run("05b").output)
    assert run("05c").numbers("loss =")[-1] > 1000  # diverges, as the text says


def test_06_losses_and_what_they_forgive() -> None:
    squared, absolute, smooth = (run("06").number(f"{name}: test error") for name in ("MSELoss", "\nL1Loss", "SmoothL1Loss"))
    assert squared > 5 * absolute and squared > 5 * smooth
    assert run("06").number("after training:  test error") < 0.02


def test_07_agrees_with_scikit_learn() -> None:
    weights, biases = run("07").numbers("w ="), run("07").numbers("b =")
    assert weights == pytest.approx([weights[-1]] * 3, abs=2e-3)
    assert biases == pytest.approx([biases[-1]] * 3, abs=2e-3)
    assert run("07").number("R^2 =") == pytest.approx(run("07").number("R^2 = 0.9482, scikit-learn:"), abs=1e-3)


def test_08_recognises_the_tumours() -> None:
    assert run("08").number("accuracy on the test patients:") > 0.95
    assert all(accuracy < 0.9 for accuracy in run("08").numbers(", accuracy"))


def test_09_learns_from_batches() -> None:
    losses = run("09").numbers("mean loss")
    assert losses == sorted(losses, reverse=True)
    assert run("09").number("after: accuracy") > 0.93


def test_10_transforms_do_what_they_say() -> None:
    assert run("10").number("largest mean") < 1e-3
    assert 60 < run("10").number("mirrored:") < 140
    assert "False" not in run("10").output


def test_11_numpy_and_flambeau_agree() -> None:
    for pairs in (("good, with our NumPy functions:", "good:"), ("BCELoss of sigmoid:", "BCEWithLogitsLoss:")):
        first, second = (run("11").number(label) for label in pairs)
        assert first == pytest.approx(second, abs=1e-4)
    assert run("11").number("CrossEntropyLoss:") == pytest.approx(run("11").number("by hand:"), abs=1e-4)


def test_12_exclusive_or_needs_a_bend() -> None:
    assert run("12").number("no activation: loss") == pytest.approx(0.25, abs=1e-3)
    assert run("12").number("tanh: loss") < 0.01
    assert "False" not in run("12").output


def test_13_reads_the_small_digits() -> None:
    assert run("13").number("Test accuracy:") > 95


def with_data(lesson: str, *folders: str) -> Run:
    """The lesson with --root; skips where the data are not."""
    missing = [folder for folder in folders if not (DATA / folder).is_dir()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not in {DATA}; set FLAMBEAU_DATA")
    return run(lesson, "--root", str(DATA))


def test_13_reads_mnist() -> None:
    assert with_data("13", "MNIST/raw").number("Test accuracy:") >= 97.5


def test_14_recognises_the_small_digits() -> None:
    losses = run("14").numbers("mean loss")
    assert losses == sorted(losses, reverse=True)
    assert run("14").number("Test accuracy:") > 95


def test_14_recognises_photographs() -> None:
    found = with_data("14", "cifar-10-batches-py")
    losses = found.numbers("mean loss")
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.8 * losses[0]
    assert found.number("Test accuracy:") > 45


def check_transfer(found: Run) -> None:
    means = dict(re.findall(rf"^([a-z ]+): \d+ weights learned, .*, mean ({NUMBER})$", found.output, re.MULTILINE))
    scratch, last, whole = (float(means[name]) for name in ("from scratch", "last layer only", "whole network"))
    chance = found.number("always saying the most frequent class:")
    assert min(whole, last) > scratch + 0.02
    assert min(whole, last) > chance + 0.07


def test_15_knowledge_of_digits_is_transferred() -> None:
    check_transfer(run("15"))


def test_15_ants_and_bees() -> None:
    check_transfer(with_data("15", "cifar-10-batches-py", "hymenoptera_data"))


@pytest.mark.parametrize("lesson", ["13", "14", "15"])
def test_quick_is_shorter(lesson: str) -> None:
    quick = run(lesson, "--quick")
    assert len(quick.output) < len(run(lesson).output) and quick.pictures == run(lesson).pictures


def test_16_tensorboard_reads_what_was_written() -> None:
    assert run("16").number("Adam: test accuracy") == pytest.approx(run("16").numbers("last test accuracy")[0], abs=1e-3)
    limits = [run("16").number(f"limit {limit}: precision") for limit in (0.1, 0.5, 0.9)]
    assert limits == sorted(limits) and run("16").number("PR curves:") == 10


def test_17_resuming_repeats_the_training() -> None:
    assert run("17").number("largest difference between the curves:") == 0
    printed = re.sub("weights_only=False", "", run("17").output)
    assert "True" in printed and "False" not in printed
