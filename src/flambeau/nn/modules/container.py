"""PyTorch's path to what is in ``nn/containers.py``; imports and pickles name it."""

from ..containers import (
    Container as Container,
)
from ..containers import (
    ModuleDict as ModuleDict,
)
from ..containers import (
    ModuleList as ModuleList,
)
from ..containers import (
    ParameterDict as ParameterDict,
)
from ..containers import (
    ParameterList as ParameterList,
)
from ..containers import (
    Sequential as Sequential,
)
