"""PyTorch's path to what is in ``nn/containers.py``; imports and pickles name it."""

from ..containers import (
    Container as Container,
    ModuleDict as ModuleDict,
    ModuleList as ModuleList,
    ParameterDict as ParameterDict,
    ParameterList as ParameterList,
    Sequential as Sequential,
)
