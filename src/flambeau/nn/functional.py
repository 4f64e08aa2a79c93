"""The functions that layers call, for those who keep their tensors themselves.

Each is defined with its family in ``operators/``; here they are gathered under PyTorch's names.
"""

from __future__ import annotations

from ..operators.contraction import linear as linear
