"""The small functions of ``torch.compiler``: backends by name, marks on functions, caches, filters of guards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

_BACKENDS = ("cudagraphs", "inductor", "openxla", "tvm")
_DEBUG_BACKENDS = ("aot_eager", "eager")


class _State:
    stance = "default"
    backend: str | Callable[..., Any] = "inductor"


state = _State()


@dataclass
class CacheInfo:
    """What a saved cache holds, by kind."""

    artifacts: dict[str, list[str]] = field(default_factory=dict)

    def empty(self) -> bool:
        """Whether it holds nothing."""
        return not self.artifacts


def list_backends(exclude_tags: Sequence[str] | None = ("debug", "experimental")) -> list[str]:
    """The names that ``compile(backend=)`` takes; all mean this library's own compiler."""
    names = _BACKENDS if exclude_tags and "debug" in exclude_tags else _BACKENDS + _DEBUG_BACKENDS
    return sorted(names)


def get_default_backend() -> str | Callable[..., Any]:
    """The backend used where none is named."""
    return state.backend


def set_default_backend(backend: str | Callable[..., Any] | None) -> None:
    """Set what :func:`get_default_backend` returns; None: "inductor"."""
    if isinstance(backend, str) and backend not in list_backends(()):
        raise RuntimeError(f"Invalid backend: '{backend}', see `torch.compiler.list_backends()` for available backends.")
    state.backend = "inductor" if backend is None else backend


def is_compiling() -> bool:
    """Whether a tracer runs this code on symbols: never, code runs as it stands."""
    return False


def is_dynamo_compiling() -> bool:
    """Whether PyTorch's tracer runs this code: never."""
    return False


def is_exporting() -> bool:
    """Whether ``torch.export`` runs this code: never."""
    return False


def reset() -> None:
    """Forget all programs, compiled or not. (Kernels' code stays on disk; a program recorded again finds it there.)"""
    from ..native.policy import policy
    from ..tracing import synchronize
    from ..tracing.cache import cache

    synchronize()
    cache.clear()
    policy.reset()


def cudagraph_mark_step_begin() -> None:
    """Say that a step begins; without CUDA graphs it changes nothing."""


def allow_in_graph(fn: Any) -> Any:
    """``fn``, which may be used in compiled code as every function may.

    Raises:
        AssertionError: it cannot be called.
    """
    if isinstance(fn, (list, tuple)):
        return [allow_in_graph(each) for each in fn]
    if not callable(fn):
        raise AssertionError("allow_in_graph expects a callable")
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn``, called every time all the same."""
    return fn


def substitute_in_graph(
    original_fn: Callable[..., Any], *, can_constant_fold_through: bool = False, skip_signature_check: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for what a tracer may run in place of ``original_fn``; here the original is run."""
    if not callable(original_fn):
        raise TypeError(f"substitute_in_graph expects a function but got {type(original_fn)!r}")
    return lambda traceable: traceable


def wrap_numpy(fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` on NumPy arrays as a function on tensors.

    >>> import flambeau as torch, numpy
    >>> torch.compiler.wrap_numpy(lambda x: numpy.flip(x))(torch.tensor([1, 2]))
    tensor([2, 1])
    """
    import functools

    import numpy as np

    from ..operators.declaration import functions
    from ..tensor import Tensor

    def to_array(value: Any) -> Any:
        return value.numpy(force=True) if isinstance(value, Tensor) else value

    def to_tensor(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return functions["from_numpy"](np.ascontiguousarray(value))
        return type(value)(map(to_tensor, value)) if type(value) in (tuple, list) else value

    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return to_tensor(fn(*map(to_array, args), **{key: to_array(value) for key, value in kwargs.items()}))

    return wrapped


def save_cache_artifacts() -> tuple[bytes, CacheInfo] | None:
    """The kernels this process uses, to be loaded on a like computer before they are wanted there.

    None where there are none, or where compiled code is not kept on disk (``FLAMBEAU_CACHE_DIR``).
    """
    import io
    import zipfile

    from ..native.code_cache import symbols_in_use
    from ..native.disk_cache import disk_cache

    disk = disk_cache()
    if disk.folder is None:
        return None
    found = {symbol: code for symbol in symbols_in_use() if (code := disk.read(symbol)) is not None}
    if not found:
        return None
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for symbol, code in found.items():
            archive.writestr(f"{disk.folder.name}/{symbol}", code)
    return memory.getvalue(), CacheInfo({"kernels": sorted(found)})


def load_cache_artifacts(serialized_artifacts: bytes) -> CacheInfo | None:
    """Put what :func:`save_cache_artifacts` returned where kernels are looked for on disk.

    Load only what you trust as you would trust a program: it is code that will be run. What is for another version or
    processor is left out; None where nothing is left, or where compiled code is not kept on disk.

    Raises:
        RuntimeError: it is nothing that :func:`save_cache_artifacts` returned, or is damaged.
    """
    import io
    import zipfile

    if not isinstance(serialized_artifacts, bytes):
        raise TypeError(f"load_cache_artifacts expects bytes, not {type(serialized_artifacts).__name__}")
    from ..native.disk_cache import disk_cache

    disk = disk_cache()
    try:
        with zipfile.ZipFile(io.BytesIO(serialized_artifacts)) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise RuntimeError(f"load_cache_artifacts: this is not what save_cache_artifacts returned: {error}") from None
    if disk.folder is None:
        return None
    loaded = []
    for name, code in content.items():
        folder, _, symbol = name.partition("/")
        if folder == disk.folder.name and symbol.startswith("kernel_") and symbol[7:].isalnum():
            disk.write(symbol, code)
            loaded.append(symbol)
    return CacheInfo({"kernels": sorted(loaded)}) if loaded else None


def load_compiled_function(file: Any, *, f_globals: Any = None, external_data: Any = None) -> Any:
    """The function that PyTorch's ``save_compiled_function`` wrote.

    Raises:
        RuntimeError: always; its files hold code for PyTorch's own runtime.
    """
    raise RuntimeError("load_compiled_function: the file holds code for PyTorch's runtime; save the module's state instead")


def set_enable_guard_collectives(enabled: bool) -> bool:
    """Whether processes agree before they recompile; returns what was set before: False, they need not."""
    if not isinstance(enabled, bool):
        raise TypeError(f"expected a bool, got {type(enabled).__name__}")
    return False


# Filters of guards: given entries, which of them to keep. PyTorch's compile calls them; programs here have no guards.


def skip_all_guards_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep none."""
    return [False] * len(guard_entries)


def skip_guard_on_inbuilt_nn_modules_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep all but those on modules of the library."""
    return ["UnspecializedBuiltinNNModuleSource" not in str(getattr(each, "orig_guard", "")) for each in guard_entries]


def skip_guard_on_all_nn_modules_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep all but those on modules."""
    return ["NNModuleSource" not in str(getattr(each, "orig_guard", "")) for each in guard_entries]


def keep_tensor_guards_unsafe(guard_entries: Sequence[Any], keep_parameters: bool = False) -> list[bool]:
    """Keep those on tensors."""
    return [getattr(each, "guard_type", "") == "TENSOR_MATCH" for each in guard_entries]


def keep_portable_guards_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep those that mean the same in another process."""
    return [getattr(each, "guard_type", "") not in ("ID_MATCH", "GLOBAL_STATE") for each in guard_entries]


def skip_guard_on_globals_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep all but those on globals."""
    return [not getattr(each, "is_global", False) for each in guard_entries]
