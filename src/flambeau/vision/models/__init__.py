"""Networks for images, with torchvision's names, arguments, parameter names and published weights.

>>> from flambeau.vision import models
>>> len(models.list_models(include="resnet*"))
5
"""

from __future__ import annotations

from .alexnet import *  # noqa: F403
from .convnext import *  # noqa: F403
from .densenet import *  # noqa: F403
from .efficientnet import *  # noqa: F403
from .googlenet import *  # noqa: F403
from .inception import *  # noqa: F403
from .mnasnet import *  # noqa: F403
from .mobilenet import *  # noqa: F403
from .published import Weights as Weights, WeightsEnum as WeightsEnum
from .registry import *  # noqa: F403
from .regnet import *  # noqa: F403
from .resnet import *  # noqa: F403
from .shufflenetv2 import *  # noqa: F403
from .squeezenet import *  # noqa: F403
from .vgg import *  # noqa: F403
from .vision_transformer import *  # noqa: F403
