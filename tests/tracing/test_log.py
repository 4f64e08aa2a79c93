"""FLAMBEAU_LOG says what happens inside, and nothing unless asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flambeau.tracing.log import Log

SOURCE = Path(__file__).resolve().parents[2] / "src"
PROGRAM = """
import flambeau as torch
x = torch.ones(3)
torch.synchronize()
for _ in range(2):
    (torch.exp(x) * 2).tolist()
"""


def run(log: str, folder: Path, tier: str = "native") -> str:
    settings = {"FLAMBEAU_LOG": log, "FLAMBEAU_CACHE_DIR": str(folder), "FLAMBEAU_TIER": tier, "PYTHONPATH": str(SOURCE)}
    finished = subprocess.run([sys.executable, "-c", PROGRAM], env={**os.environ, **settings}, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    return finished.stderr


def test_programs_are_python(tmp_path: Path) -> None:
    said = run("programs", tmp_path, "reference")
    assert said.count("def program(inputs):") == 2 and "# program 2\n" in said and " = exp(v0)" in said
    text = said[said.index("def program(inputs):", said.index("# program 2")) :]
    compile(text, "program", "exec")


def test_the_cache_tells_hits_from_misses_and_disk_from_compiled(tmp_path: Path) -> None:
    cold, warm = run("cache", tmp_path), run("cache", tmp_path)
    for said in (cold, warm):
        assert "program 2 miss: 2 calls, 2 lines (0 hits, 2 misses)" in said and "program 2 hit (1 hits, 2 misses)" in said
        assert "program 2 compiled: 1 kernels in " in said
    assert " compiled: " in cold and "from disk" not in cold
    assert "from disk" in warm


def test_kernels_are_shown_with_their_code(tmp_path: Path) -> None:
    for _ in range(2):  # from disk too
        said = run("kernels", tmp_path)
        assert "define " in said and "; program 2\n;   <kernel " in said and "def program" not in said


def test_silence(tmp_path: Path) -> None:
    assert run("", tmp_path) == ""


def test_names_are_checked() -> None:
    log = Log(" programs,cache")
    assert (log.programs, log.kernels, log.cache) == (True, False, True)
    with pytest.raises(ValueError, match="programs, kernels, cache"):
        Log("everything")
