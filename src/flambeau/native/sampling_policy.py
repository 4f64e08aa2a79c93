"""When random numbers are drawn by compiled code: once a process draws so many that loading it pays.

Loading takes some 60 ms where LLVM has not been loaded yet, 10 ms where it has. Where the code is not on disk either, it is compiled
in the background; the numbers being the same either way, nothing waits for it.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from ..core.faster_sampling import PAYS, faster
from .policy import policy

#: Numbers drawn by NumPy code before LLVM's being in memory makes the compiled samplers pay.
PAYS_WITH_LLVM = 1 << 16

_compiling: int | None = None  # the process whose thread compiles: a fork leaves none


def fetch(drawn: int) -> Any:
    """The compiled samplers if drawing ``drawn`` numbers shows that they pay; else None."""
    if policy.mode == "reference":
        return None
    if policy.mode == "default" and drawn < PAYS:
        machine = sys.modules.get("flambeau.native.machine")
        if drawn < PAYS_WITH_LLVM or getattr(machine, "_machine", None) is None:
            return None
    if _compiling == os.getpid():
        return None
    try:
        from .sampling import CompiledSampling

        if policy.mode == "native":
            return CompiledSampling()
        found = CompiledSampling.from_disk()
    except Exception:  # no compiler: NumPy code goes on with it
        faster.fetch = None
        return None
    if found is None:
        _compile()
    return found


def _compile() -> None:
    global _compiling
    _compiling = os.getpid()
    threading.Thread(target=_in_background, name="flambeau-sampling", daemon=True).start()


def _in_background() -> None:
    global _compiling
    try:
        from .sampling import CompiledSampling

        faster.functions = CompiledSampling()
        _compiling = None
    except Exception:
        faster.fetch = None


def install() -> None:
    """Have compiled samplers used from now on, where they pay."""
    faster.fetch = fetch
