"""PyTorch's path to what is in ``nn/adaptive.py``; imports and pickles name it."""

from ..adaptive import *
from ..adaptive import _ASMoutput as _ASMoutput
