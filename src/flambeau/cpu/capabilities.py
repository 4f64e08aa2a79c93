"""What the processor can do."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

#: Names as PyTorch gives them, and as Linux lists them.
_FLAGS = {
    "sse": "sse", "sse2": "sse2", "sse3": "pni", "ssse3": "ssse3", "sse4_1": "sse4_1", "sse4_2": "sse4_2",
    "sse4a": "sse4a", "avx": "avx", "avx2": "avx2", "avx512_f": "avx512f", "avx512_cd": "avx512cd",
    "avx512_dq": "avx512dq", "avx512_bw": "avx512bw", "avx512_vl": "avx512vl", "avx512_ifma": "avx512ifma",
    "avx512_vbmi": "avx512vbmi", "avx512_vbmi2": "avx512_vbmi2", "avx512_bitalg": "avx512_bitalg",
    "avx512_vpopcntdq": "avx512_vpopcntdq", "avx512_vnni": "avx512_vnni", "avx512_bf16": "avx512_bf16",
    "avx512_fp16": "avx512_fp16", "avx_vnni": "avx_vnni", "amx_bf16": "amx_bf16", "amx_tile": "amx_tile",
    "amx_int8": "amx_int8", "amx_fp16": "amx_fp16", "aes": "aes", "sha": "sha_ni", "popcnt": "popcnt", "lzcnt": "abm",
    "bmi": "bmi1", "bmi2": "bmi2", "fma3": "fma", "fma4": "fma4", "f16c": "f16c", "clflush": "clflush",
    "clflushopt": "clflushopt", "clwb": "clwb", "neon": "asimd", "sve": "sve", "sve2": "sve2",
}  # fmt: skip


@functools.lru_cache(maxsize=1)
def get_capabilities() -> Mapping[str, Any]:
    """The processor's architecture and instruction sets, as far as the operating system tells."""
    present: set[str] = set()
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith(("flags", "Features")):
                    present = set(line.split(":", 1)[1].split())
                    break
    except OSError:
        present = set()  # not Linux: nothing is known
    found: dict[str, Any] = {name: flag in present for name, flag in _FLAGS.items()}
    found["architecture"] = platform.machine()
    return MappingProxyType(found)


def vector_level() -> str:
    """The widest vectors the processor has, as PyTorch names them."""
    capabilities = get_capabilities()
    if capabilities["avx512_f"] and capabilities["avx512_bw"] and capabilities["avx512_vl"]:
        return "AVX512"
    if capabilities["avx2"]:
        return "AVX2"
    return "DEFAULT"
