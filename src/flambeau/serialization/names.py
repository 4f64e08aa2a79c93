"""Under which names things go into files.

Files name PyTorch's functions and classes (``torch._utils._rebuild_tensor_v2``, ``torch.nn.modules.linear.Linear``),
so that PyTorch reads what we write and we read what it writes. Nothing here imports torch: names are translated
before anything is looked up.
"""

from __future__ import annotations

import importlib
from functools import cache
from pickle import UnpicklingError
from typing import Any

from .. import rebuilding
from ..core import memory_formats
from ..core.devices import device
from ..core.dtypes import _by_name as _dtypes_by_name, dtype
from ..core.memory_formats import layout, memory_format
from ..core.sizes import Size
from ..storage import _LEGACY_NAMES, TypedStorage, UntypedStorage

# The file of torch.nn.modules in which PyTorch keeps each class; ours may lie elsewhere.
_MODULE_FILES = {
    "activation": "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax Mish "
    "MultiheadAttention PReLU ReLU ReLU6 RReLU SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink "
    "Softsign Tanh Tanhshrink Threshold",
    "adaptive": "AdaptiveLogSoftmaxWithLoss",
    "batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d SyncBatchNorm",
    "channelshuffle": "ChannelShuffle",
    "container": "ModuleDict ModuleList ParameterDict ParameterList Sequential",
    "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConv1d LazyConv2d LazyConv3d "
    "LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d",
    "distance": "CosineSimilarity PairwiseDistance",
    "dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "flatten": "Flatten Unflatten",
    "fold": "Fold Unfold",
    "instancenorm": "InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyInstanceNorm1d LazyInstanceNorm2d "
    "LazyInstanceNorm3d",
    "linear": "Bilinear Identity LazyLinear Linear",
    "loss": "BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss GaussianNLLLoss "
    "HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss LinearCrossEntropyLoss MSELoss MarginRankingLoss "
    "MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d PoissonNLLLoss SmoothL1Loss "
    "SoftMarginLoss TripletMarginLoss TripletMarginWithDistanceLoss",
    "module": "Module",
    "normalization": "CrossMapLRN2d GroupNorm LayerNorm LocalResponseNorm RMSNorm",
    "padding": "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d "
    "ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d",
    "pixelshuffle": "PixelShuffle PixelUnshuffle",
    "pooling": "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d "
    "AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d FractionalMaxPool2d FractionalMaxPool3d LPPool1d LPPool2d "
    "LPPool3d MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d",
    "rnn": "GRU GRUCell LSTM LSTMCell RNN RNNBase RNNCell RNNCellBase",
    "sparse": "Embedding EmbeddingBag",
    "transformer": "Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer",
    "upsampling": "Upsample UpsamplingBilinear2d UpsamplingNearest2d",
}


@cache
def _module_file_of() -> dict[str, str]:
    return {name: file for file, names in _MODULE_FILES.items() for name in names.split()}


#: Names in files of what lies in ``nn/parameter.py``, which is imported only when a file has parameters.
_PARAMETERS = {
    "torch.nn.parameter.Parameter": "Parameter",
    "torch.nn.parameter.Buffer": "Buffer",
    "torch.nn.parameter.UninitializedParameter": "UninitializedParameter",
    "torch.nn.parameter.UninitializedBuffer": "UninitializedBuffer",
    "torch._utils._rebuild_parameter": "rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state": "rebuild_parameter_with_state",
}


#: Classes that files know under another path than ours, and that PyTorch's packages do not offer at their top.
_ELSEWHERE = {
    "torch.nn.modules.linear.NonDynamicallyQuantizableLinear": "flambeau.nn.linear.NonDynamicallyQuantizableLinear",
    "torch.nn.modules.module._WrappedHook": "flambeau.nn.module._HookOf",
    "torch.utils.hooks.RemovableHandle": "flambeau.autograd.hooks.RemovableHandle",
}


@cache
def _pieces() -> dict[str, Any]:
    from ..tensor import Tensor

    pieces: dict[str, Any] = {
        "torch.Tensor": Tensor,
        "torch.Size": Size,
        "torch.device": device,
        "torch.dtype": dtype,
        "torch.storage.UntypedStorage": UntypedStorage,
        "torch.storage.TypedStorage": TypedStorage,
        "torch._utils._rebuild_tensor": rebuilding.rebuild_tensor,
        "torch._utils._rebuild_tensor_v2": rebuilding.rebuild_tensor_v2,
        "torch._utils._rebuild_tensor_v3": rebuilding.rebuild_tensor_v3,
        "torch._utils._rebuild_meta_tensor_no_storage": rebuilding.rebuild_meta_tensor,
        "torch._tensor._rebuild_from_type_v2": rebuilding.rebuild_from_type,
        "torch.serialization._get_layout": rebuilding.layout_by_name,
    }
    pieces |= {f"torch.{name}": each for name, each in _dtypes_by_name.items()}
    pieces |= {f"torch.{each.name}": each for each in vars(memory_formats).values() if isinstance(each, memory_format)}
    from .. import storage

    pieces |= {f"torch.{name}": getattr(storage, name) for name in _LEGACY_NAMES}
    return pieces


def piece(name: str) -> Any:
    """What a file may always name, being a part of a tensor; None for all else. None of it does anything but build."""
    if name in _PARAMETERS:
        from ..nn import parameter

        return getattr(parameter, _PARAMETERS[name])
    return _pieces().get(name)


@cache
def _names_of_pieces() -> dict[int, str]:
    return {id(value): name for name, value in _pieces().items() if not isinstance(value, dtype)}


def file_name(value: Any, name: str | None = None) -> str | None:
    """The dotted name under which a function or class of ours is written; None for everything else.

    >>> from flambeau import nn
    >>> file_name(nn.Linear)
    'torch.nn.modules.linear.Linear'
    """
    known = _names_of_pieces().get(id(value))
    if known is not None:
        return known
    if isinstance(value, dtype | memory_format | layout):
        return f"torch.{value.name}"
    module = getattr(value, "__module__", None)
    name = name or getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not isinstance(module, str) or module.partition(".")[0] != "flambeau" or not isinstance(name, str):
        return None
    if module == "flambeau.nn.parameter" and name in _PARAMETERS.values():
        return next(each for each, ours in _PARAMETERS.items() if ours == name)
    if module.startswith("flambeau.nn.") and name in _module_file_of():
        return f"torch.nn.modules.{_module_file_of()[name]}.{name}"
    if module.startswith("flambeau.optim.schedulers."):
        return f"torch.optim.lr_scheduler.{name}"
    if module.startswith("flambeau.nn.functional_"):
        return f"torch.nn.functional.{name}"
    for theirs, ours in _ELSEWHERE.items():
        if ours == f"{module}.{name}":
            return theirs
    mirrored = "torch" + module[len("flambeau") :]
    # A class that its package offers publicly is named there, where PyTorch has it too.
    parent, last = module, ""
    while "." in parent:
        parent, _, last = parent.rpartition(".")
        if last.startswith("_") or getattr(importlib.import_module(parent), name, None) is not value:
            continue
        mirrored = "torch" + parent[len("flambeau") :]
    return f"{mirrored}.{name}"


def find(module: str, name: str) -> Any:
    """The object of ours that a file means by a global of ``torch``; for files that are trusted.

    Raises:
        pickle.UnpicklingError: flambeau has no such thing.
    """
    known = piece(f"{module}.{name}")
    if known is not None:
        return known
    if f"{module}.{name}" in _ELSEWHERE:
        ours, _, attribute = _ELSEWHERE[f"{module}.{name}"].rpartition(".")
        return getattr(importlib.import_module(ours), attribute)
    if module.startswith("torch.nn.modules.") and name in _module_file_of():
        module = "torch.nn"
    path = "flambeau" + module[len("torch") :]
    while True:
        try:
            found: Any = importlib.import_module(path)
            for part in name.split("."):
                found = getattr(found, part)
            return found
        except ModuleNotFoundError as error:
            if error.name is None or not path.startswith(error.name):
                raise
        except AttributeError:
            pass
        path = path.rpartition(".")[0]
        if not path:
            break
    raise UnpicklingError(
        f"the file needs {module}.{name}, which flambeau does not have. Save the model's state_dict() instead of the "
        "whole object, and load that"
    )


def legacy_class(of: dtype) -> Any:
    """The storage class under which files know a dtype: ``FloatStorage``."""
    from .. import storage

    return getattr(storage, storage.legacy_name(of))


def is_torch(module: str) -> bool:
    """Whether a global's module belongs to PyTorch, in whose place flambeau stands."""
    return module == "torch" or module.startswith("torch.")


def modern_name(module: str, name: str) -> tuple[str, str]:
    """A global as Python 3 calls it; protocols 0 to 2 write Python 2's names (``__builtin__.xrange``)."""
    from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

    module, name = NAME_MAPPING.get((module, name), (module, name))
    return IMPORT_MAPPING.get(module, module), name
