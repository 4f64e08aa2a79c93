"""What only a fresh process shows: start-up, compile time and peak memory. ``steps.py`` runs this file for each.

``python benchmarks/fresh.py LIBRARY ROW STEPS`` runs the steps and prints what they took, as JSON:
``end``: when the last step was over (seconds since the epoch), ``memory``: the most memory that was resident, in bytes, and
where ``FLAMBEAU_TIER=native``, ``compile``: seconds spent on compiling the step. The first step is not compiled then: it differs
from those that recur (gradients and the optimizer's state are not there yet), and the model is made in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main(library: str, name: str, steps: int) -> None:
    """In the fresh process."""
    torch = __import__(library)
    from rows import NAMED

    step = NAMED[name].make(torch)
    compiling = library == "flambeau" and os.environ.get("FLAMBEAU_TIER") == "native"
    if compiling:
        from flambeau.native.policy import policy

        policy.mode = "reference"
        step()
        torch.synchronize()
        policy.mode = "native"
    for _ in range(steps):
        step()
    found: dict[str, Any] = {"end": time.time(), "memory": peak_memory()}
    if compiling:
        torch.synchronize()
        found["compile"] = policy.seconds
    print(json.dumps(found))


def peak_memory() -> int:
    """The most bytes that were resident."""
    try:  # of this program: getrusage counts what the process was before it became this program, too
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def run(library: str, name: str, steps: int = 10, **environment: str) -> dict[str, float]:
    """Run the steps in a fresh process; ``seconds`` is from its start to the end of the last step."""
    began = time.time()
    finished = subprocess.run(
        [sys.executable, __file__, library, name, str(steps)], env={**os.environ, **environment}, capture_output=True, text=True
    )
    if finished.returncode:
        raise RuntimeError(f"{library} {name}: {finished.stderr}")
    found = json.loads(finished.stdout.splitlines()[-1])
    return {**found, "seconds": found["end"] - began}


def compile_seconds(name: str) -> tuple[float, float]:
    """Seconds to compile a step's programs where nothing is on disk, and where everything is."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"FLAMBEAU_TIER": "native", "FLAMBEAU_CACHE_DIR": folder}
        cold, warm = (run("flambeau", name, 1, **settings)["compile"] for _ in range(2))
    return cold, warm


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
