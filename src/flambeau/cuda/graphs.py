"""CUDA graphs: recorded work that is replayed at once."""

from __future__ import annotations

from typing import Any

from .availability import MISSING, require_cuda, unavailable


class CUDAGraph:
    """Recorded work on a device. For flambeau's own recording there is nothing to do: every step is one program."""

    def __new__(cls, keep_graph: bool = False) -> CUDAGraph:
        raise RuntimeError(f"Tried to instantiate CUDAGraph. {MISSING}")


class graph:
    """Context whose work goes into a CUDA graph."""

    def __init__(
        self,
        cuda_graph: CUDAGraph,
        pool: Any = None,
        stream: Any = None,
        capture_error_mode: str = "global",
        **options: Any,
    ) -> None:
        require_cuda("graph()")


def is_current_stream_capturing() -> bool:
    """Whether work goes into a graph at present: no."""
    return False


graph_pool_handle = unavailable("graph_pool_handle", "An identifier of graph memory.")
make_graphed_callables = unavailable("make_graphed_callables", "Callables that replay graphs.")
