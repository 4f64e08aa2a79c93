"""PyTorch's ``torch.compiler``: asking for compilation, and saying what may be compiled."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "compiled": ("OptimizedModule", "compile", "disable", "nested_compile_region", "set_stance"),
    "switches": (
        "CacheInfo", "allow_in_graph", "assume_constant_result", "cudagraph_mark_step_begin", "get_default_backend",
        "is_compiling", "is_dynamo_compiling", "is_exporting", "keep_portable_guards_unsafe", "keep_tensor_guards_unsafe",
        "list_backends", "load_cache_artifacts", "load_compiled_function", "reset", "save_cache_artifacts",
        "set_default_backend", "set_enable_guard_collectives", "skip_all_guards_unsafe",
        "skip_guard_on_all_nn_modules_unsafe", "skip_guard_on_globals_unsafe", "skip_guard_on_inbuilt_nn_modules_unsafe",
        "substitute_in_graph", "wrap_numpy",
    ),
}  # fmt: skip
_homes = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_homes)


def __getattr__(name: str) -> Any:
    if name not in _homes:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_homes[name]}"), name)
    return found
