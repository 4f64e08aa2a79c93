"""What ``flambeau`` offers by name: dtypes, constants, operators and the tools around them.

Submodules that a script may not need (``nn``, ``optim``, ``linalg`` …) are imported when first touched.
"""

from __future__ import annotations

import math
import sys
from importlib import import_module
from typing import Any

from . import notebooks
from .autograd import grad_mode
from .core import dtypes, memory_formats
from .operators.declaration import functions
from .tracing import synchronize

#: Submodules imported on first use.
SUBMODULES = (
    "_C", "__config__", "accelerator", "amp", "autograd", "backends", "compiler", "cpu", "cuda", "distributed",
    "distributions", "doctor", "drawing", "fft", "func", "functional", "futures", "hub", "jit", "linalg", "mps",
    "mtia", "multiprocessing", "nn", "optim", "overrides", "profiler", "random", "return_types", "serialization",
    "signal", "sparse", "special", "storage", "testing", "torch_version", "types", "utils", "version", "vision",
    "xpu",
)  # fmt: skip

#: Names that live in a module of their own, by module.
LAZY = {
    "accelerator.streams": ("Event", "Stream"),
    "amp.autocast_mode": (
        "autocast", "autocast_decrement_nesting", "autocast_increment_nesting", "clear_autocast_cache",
        "get_autocast_cpu_dtype", "get_autocast_dtype", "get_autocast_gpu_dtype", "is_autocast_cache_enabled",
        "is_autocast_cpu_enabled", "is_autocast_enabled", "set_autocast_cache_enabled", "set_autocast_cpu_dtype",
        "set_autocast_cpu_enabled", "set_autocast_dtype", "set_autocast_enabled", "set_autocast_gpu_dtype",
    ),
    "amp.grad_scaler": ("GradScaler",),
    "capturing": ("capture",),
    "compiler.compiled": ("compile",),
    "drawing": ("draw",),
    "core.errors": ("AcceleratorError", "OutOfMemoryError"),
    "operators.legacy_types": (
        "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
        "IntTensor", "LongTensor", "ShortTensor", "set_default_tensor_type",
    ),
    "settings": (
        "are_deterministic_algorithms_enabled", "get_default_device", "get_deterministic_debug_mode",
        "get_device_module", "get_float32_matmul_precision", "is_deterministic_algorithms_warn_only_enabled",
        "is_warn_always_enabled", "set_default_device", "set_deterministic_debug_mode",
        "set_float32_matmul_precision", "set_flush_denormal", "set_warn_always", "typename",
        "use_deterministic_algorithms",
    ),
    "core.threads": ("get_num_interop_threads", "get_num_threads", "set_num_interop_threads", "set_num_threads"),
    "serialization": ("load", "save"),
    "printing": ("set_printoptions", "get_printoptions"),
    "storage": (
        "UntypedStorage", "TypedStorage", "is_storage", "DoubleStorage", "FloatStorage", "HalfStorage",
        "BFloat16Storage", "LongStorage", "IntStorage", "ShortStorage", "CharStorage", "ByteStorage", "BoolStorage",
        "ComplexDoubleStorage", "ComplexFloatStorage",
    ),
    "sparse": ("sparse_coo_tensor",),
    "autograd.anomaly_mode": ("is_anomaly_check_nan_enabled", "is_anomaly_enabled"),
    "func.batching": ("vmap",),
    "nn.functional_pooling": (
        "adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "max_pool1d", "max_pool1d_with_indices", "max_pool2d",
        "max_pool3d",
    ),
    "operators.channels": ("channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"),
    "operators.distances": ("cdist", "cosine_similarity", "pairwise_distance", "pdist"),
    "operators.sequence_losses": ("ctc_loss",),
    "random": ("Generator", "default_generator", "manual_seed", "seed", "initial_seed", "get_rng_state", "set_rng_state"),
}

#: In-place methods that are functions of the namespace too.
IN_PLACE = (
    "abs acos acosh addmv arccos arccosh arcsin arcsinh arctan arctanh as_strided asin asinh atan atanh ceil clamp clamp_max "
    "clamp_min clip conj_physical cos cosh deg2rad detach erf erfc exp exp2 expm1 fix floor frac gcd i0 index_put lcm ldexp "
    "log log10 log1p log2 logit nan_to_num neg negative rad2deg reciprocal round rsqrt sigmoid sin sinc sinh sqrt square tan "
    "tanh trunc xlogy"
).split()


def install(names: dict[str, Any]) -> None:
    """Enter everything into the package's namespace."""
    for name in (
        "uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex32 complex64 complex128 "
        "float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu"
    ).split():
        names[name] = getattr(dtypes, name)
    names.update(
        bool=dtypes.bool_, short=dtypes.int16, int=dtypes.int32, long=dtypes.int64, half=dtypes.float16,
        float=dtypes.float32, double=dtypes.float64, chalf=dtypes.complex32, cfloat=dtypes.complex64,
        cdouble=dtypes.complex128, inf=math.inf, nan=math.nan, pi=math.pi, e=math.e, newaxis=None,
    )  # fmt: skip
    for name in ("finfo", "iinfo", "get_default_dtype", "set_default_dtype", "promote_types", "can_cast"):
        names[name] = getattr(dtypes, name)
    for name in (
        "contiguous_format", "preserve_format", "channels_last", "channels_last_3d", "strided", "sparse_coo", "layout",
        "memory_format",
    ):  # fmt: skip
        names[name] = getattr(memory_formats, name)
    for name in (
        "no_grad", "enable_grad", "set_grad_enabled", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled",
    ):  # fmt: skip
        names[name] = getattr(grad_mode, name)
    names.update(functions)
    names.update((name + "_", getattr(names["Tensor"], name + "_")) for name in IN_PLACE)
    names["synchronize"] = synchronize
    notebooks.install()
    homes = {name: module for module, members in LAZY.items() for name in members}
    package = names["__name__"]

    def __getattr__(name: str) -> Any:
        if name in SUBMODULES:
            try:
                return import_module(f"{package}.{name}")
            except ModuleNotFoundError as error:
                if error.name != f"{package}.{name}":
                    raise
        if name in homes:
            found = names[name] = getattr(import_module(f"{package}.{homes[name]}"), name)
            return found
        raise AttributeError(
            f"module '{package}' has no attribute '{name}'; if PyTorch has it, flambeau does not",
            name=name,
            obj=sys.modules[package],
        )

    def __dir__() -> list[str]:
        return sorted({*names, *SUBMODULES, *homes})

    names["__getattr__"], names["__dir__"] = __getattr__, __dir__
