"""PyTorch's path to what is in ``nn/normalization.py``; imports and pickles name it."""

from ..normalization import (
    CrossMapLRN2d as CrossMapLRN2d,
)
from ..normalization import (
    GroupNorm as GroupNorm,
)
from ..normalization import (
    LayerNorm as LayerNorm,
)
from ..normalization import (
    LocalResponseNorm as LocalResponseNorm,
)
from ..normalization import (
    RMSNorm as RMSNorm,
)
