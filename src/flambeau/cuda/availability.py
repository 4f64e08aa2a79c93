"""Whether there is CUDA. flambeau computes on the CPU, so there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


class CudaError(RuntimeError):
    """An error code that the CUDA runtime returned."""

    def __init__(self, code: int) -> None:
        super().__init__(f"CUDA error {code}; {MISSING}")


class DeferredCudaCallError(Exception):
    """An error in a call that waited for CUDA to be initialised."""


MISSING = "Torch not compiled with CUDA enabled: flambeau computes on the CPU, use device='cpu'"


def require_cuda(name: str) -> NoReturn:
    """Refuse a call that needs a CUDA device."""
    raise AssertionError(f"{MISSING} (in torch.cuda.{name})")


def unavailable(name: str, description: str) -> Callable[..., Any]:
    """A function of ``torch.cuda`` that needs a device and says so when called."""

    def function(*args: Any, **kwargs: Any) -> Any:
        require_cuda(f"{name}()")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{description} Raises AssertionError: there is no CUDA device."
    return function


def is_available() -> bool:
    """Whether a CUDA device can be used: no."""
    return False


def is_initialized() -> bool:
    """Whether CUDA has been initialised: no."""
    return False


def device_count() -> int:
    """The number of CUDA devices: 0."""
    return 0


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether the current CUDA device computes in bfloat16: no."""
    return False


def is_tf32_supported() -> bool:
    """Whether the current CUDA device computes in TF32: no."""
    return False


def get_arch_list() -> list[str]:
    """The CUDA architectures compiled for: none."""
    return []


def get_gencode_flags() -> str:
    """The compiler flags for those architectures: none."""
    return ""


has_half = True
has_magma = False

init = unavailable("init", "Initialise CUDA.")
cudart = unavailable("cudart", "The CUDA runtime's functions.")
check_error = unavailable("check_error", "Raise what an error code of the CUDA runtime means.")
current_blas_handle = unavailable("current_blas_handle", "The cuBLAS handle.")
current_solver_handle = unavailable("current_solver_handle", "The cuSOLVER handle.")


class cudaStatus:
    """Status codes of the CUDA runtime."""

    SUCCESS: int = 0
    ERROR_NOT_READY: int = 34
