"""What this build consists of, for reports of problems."""

from __future__ import annotations

import os
import platform

import numpy

from .core.threads import get_num_interop_threads, get_num_threads
from .version import flambeau_version, torch_version

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The versions of the package, of Python and of the libraries it computes with."""
    blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return (
        "flambeau built with:\n"
        f"  - flambeau {flambeau_version}, with the interface of PyTorch {torch_version}\n"
        f"  - Python {platform.python_version()}, NumPy {numpy.__version__}\n"
        f"  - BLAS and LAPACK: {blas.get('name', 'unknown')} {blas.get('version', '')}\n"
        f"  - {platform.system()} on {platform.machine()}\n"
    )


def parallel_info() -> str:
    """How many threads are used, and the environment variables that decide it."""
    lines = [
        "flambeau/Parallel:",
        f"\tflambeau.get_num_threads() : {get_num_threads()}",
        f"\tflambeau.get_num_interop_threads() : {get_num_interop_threads()}",
        f"processors : {os.cpu_count()}",
        "Environment variables:",
    ]
    lines += [f"\t{name} : {os.environ.get(name, '[not set]')}" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")]
    return "\n".join(lines) + "\n"
