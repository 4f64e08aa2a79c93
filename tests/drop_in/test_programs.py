"""Unmodified PyTorch programs print under `flambeau run` what they print with PyTorch.

`programs/notes_*.py` are written as in a first course; `programs/use_*.py` use installed packages that only know PyTorch.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import flambeau

PROGRAMS = Path(__file__).with_name("programs")
SOURCE = str(Path(flambeau.__file__).parents[1])
NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+)(?:e[-+]?\d+)?")
#: What each program needs besides torch, NumPy and scikit-learn.
NEEDS = {
    "use_skorch": ("skorch", "safetensors"), "use_torchmetrics_functions": ("torchmetrics",), "use_torchvision": ("PIL",),
    "use_tensorboard": ("tensorboard",),
}  # fmt: skip


def output(program: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": SOURCE, "COLUMNS": "200", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([*command, str(program)], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_flambeau(program: Path) -> str:
    return output(program, sys.executable, "-m", "flambeau", "run")


@pytest.mark.parametrize("program", sorted(PROGRAMS.glob("*.py")), ids=lambda path: path.stem)
def test_programs_print_what_they_print_with_pytorch(program: Path) -> None:
    package = program.stem.partition("use_")[2]
    for each in NEEDS.get(program.stem, (package,) if package else ()):
        pytest.importorskip(each)
    if find_spec("sklearn") is None:
        pytest.skip("needs scikit-learn")
    expected = program.with_suffix(".txt")
    found = with_flambeau(program)
    # A program that needs what cannot be installed beside PyTorch here comes with what it has to print.
    theirs = expected.read_text() if expected.exists() else None
    if theirs is None:
        pytest.importorskip("torch")
        theirs = output(program, sys.executable)
    assert NUMBER.sub("#", found) == NUMBER.sub("#", theirs)
    numbers = [[float(each) for each in NUMBER.findall(text)] for text in (found, theirs)]
    # The last digit may round the other way.
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-3, abs=2e-4)
