"""CUDA's settings: which attention kernels and which precisions it may use. They are kept; there is no CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_attention = {"flash": True, "math": True, "mem_efficient": True, "cudnn": True, "fp16_bf16_reduction_math": False}


class _MatmulSettings:
    """What matrix products may trade precision for."""

    def __init__(self) -> None:
        self.allow_tf32 = False
        self.allow_fp16_reduced_precision_reduction = True
        self.allow_bf16_reduced_precision_reduction = True
        self.allow_fp16_accumulation = False
        self.fp32_precision = "none"


class _PlanCache:
    """cuFFT's plans: there are none."""

    def __init__(self) -> None:
        self.size = 0
        self.max_size = 0

    def clear(self) -> None:
        """Forget all plans."""
        self.size = 0


matmul = _MatmulSettings()
cufft_plan_cache = _PlanCache()


def is_built() -> bool:
    """Whether CUDA is supported: no."""
    return False


def is_flash_attention_available() -> bool:
    """Whether CUDA's flash attention can be used: no."""
    return False


def is_ck_sdpa_available() -> bool:
    """Whether ROCm's attention can be used: no."""
    return False


def can_use_flash_attention(params: Any, debug: bool = False) -> bool:
    """Whether flash attention takes these operands: no."""
    return False


def can_use_efficient_attention(params: Any, debug: bool = False) -> bool:
    """Whether memory-efficient attention takes these operands: no."""
    return False


def can_use_cudnn_attention(params: Any, debug: bool = False) -> bool:
    """Whether cuDNN's attention takes these operands: no."""
    return False


def flash_sdp_enabled() -> bool:
    """Whether flash attention is allowed."""
    return _attention["flash"]


def enable_flash_sdp(enabled: bool) -> None:
    """Allow or forbid flash attention."""
    _attention["flash"] = bool(enabled)


def math_sdp_enabled() -> bool:
    """Whether attention by plain operators is allowed."""
    return _attention["math"]


def enable_math_sdp(enabled: bool) -> None:
    """Allow or forbid attention by plain operators."""
    _attention["math"] = bool(enabled)


def mem_efficient_sdp_enabled() -> bool:
    """Whether memory-efficient attention is allowed."""
    return _attention["mem_efficient"]


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Allow or forbid memory-efficient attention."""
    _attention["mem_efficient"] = bool(enabled)


def cudnn_sdp_enabled() -> bool:
    """Whether cuDNN's attention is allowed."""
    return _attention["cudnn"]


def enable_cudnn_sdp(enabled: bool) -> None:
    """Allow or forbid cuDNN's attention."""
    _attention["cudnn"] = bool(enabled)


def fp16_bf16_reduction_math_sdp_allowed() -> bool:
    """Whether attention by plain operators may sum in half precision."""
    return _attention["fp16_bf16_reduction_math"]


def allow_fp16_bf16_reduction_math_sdp(enabled: bool) -> None:
    """Allow or forbid attention by plain operators to sum in half precision."""
    _attention["fp16_bf16_reduction_math"] = bool(enabled)


@contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> Iterator[None]:
    """Deprecated context in which these kinds of attention are allowed; see ``nn.attention.sdpa_kernel``."""
    import warnings

    warnings.warn(
        "`torch.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager will be removed. Please "
        "see `torch.nn.attention.sdpa_kernel()` for the new context manager, with updated signature.",
        FutureWarning,
        stacklevel=3,
    )
    before = dict(_attention)
    _attention.update(
        flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn
    )
    try:
        yield
    finally:
        _attention.update(before)
