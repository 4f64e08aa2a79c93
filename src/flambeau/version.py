"""The version of flambeau, and of PyTorch whose interface it offers; what it was built with: neither CUDA nor ROCm."""

from __future__ import annotations

__version__ = "0.1.0"
torch_version = "2.13.0"
#: The same, also where ``import torch`` gives flambeau and ``__version__`` says PyTorch's.
flambeau_version = __version__

debug = False
cuda: str | None = None
git_version = "unknown"
hip: str | None = None
rocm: str | None = None
xpu: str | None = None
