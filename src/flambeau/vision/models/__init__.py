"""Networks for images, with torchvision's names, arguments, parameter names and published weights.

>>> from flambeau.vision import models
>>> len(models.list_models(include="resnet*"))
5
"""

from __future__ import annotations

from .alexnet import *
from .convnext import *
from .densenet import *
from .efficientnet import *
from .mobilenet import *
from .published import Weights as Weights, WeightsEnum as WeightsEnum
from .registry import *
from .resnet import *
from .squeezenet import *
from .vgg import *
from .vision_transformer import *
