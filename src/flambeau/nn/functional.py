"""The functions that layers call, for those who keep their tensors themselves.

Each is defined with its family, in ``nn/functional_<family>.py`` or in ``operators/``; here they are gathered under
PyTorch's names. A family is imported when one of its functions is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING as TYPE_CHECKING, Any

from ..operators.contraction import linear as linear

#: The functions of each family, by the module that defines them.
FAMILIES = {
    "nn.functional_activations": (
        "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
        "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6", "relu_",
        "rrelu", "rrelu_", "selu", "selu_", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign",
        "tanh", "tanhshrink", "threshold", "threshold_",
    ),
    "nn.functional_dropout": (
        "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
    ),
    "nn.functional_normalization": (
        "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize", "rms_norm",
    ),
    "nn.functional_embedding": ("embedding", "embedding_bag", "one_hot"),
    "nn.functional_attention": ("multi_head_attention_forward", "scaled_dot_product_attention"),
    "nn.functional_products": ("bilinear",),
    "nn.functional_grouped_products": ("ScalingType", "SwizzleType", "grouped_mm", "scaled_grouped_mm", "scaled_mm"),
    "operators.padding": ("pad",),
    "operators.convolution": (
        "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    ),
    "nn.functional_pooling": (
        "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
        "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
        "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d",
        "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d",
        "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
        "max_unpool1d", "max_unpool2d", "max_unpool3d",
    ),
    "nn.functional_fractional_pooling": (
        "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
        "fractional_max_pool3d_with_indices",
    ),
    "nn.functional_unfolding": ("fold", "unfold"),
    "nn.functional_losses": (
        "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy", "ctc_loss",
        "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "linear_cross_entropy",
        "margin_ranking_loss", "mse_loss", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
        "nll_loss", "poisson_nll_loss", "smooth_l1_loss", "soft_margin_loss", "triplet_margin_loss",
        "triplet_margin_with_distance_loss",
    ),
    "operators.distances": ("cosine_similarity", "pairwise_distance", "pdist"),
    "operators.channels": ("channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"),
    "nn.functional_resampling": (
        "GRID_SAMPLE_INTERPOLATION_MODES", "GRID_SAMPLE_PADDING_MODES", "affine_grid", "grid_sample", "interpolate",
        "upsample", "upsample_bilinear", "upsample_nearest",
    ),
    "nn.functional_interoperation": (
        "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "assert_int_or_pair", "boolean_dispatch",
        "handle_torch_function", "has_torch_function", "has_torch_function_unary",
        "has_torch_function_variadic", "reproducibility_notes", "sparse_support_notes", "tf32_notes",
    ),
    "tensor": ("Tensor",),
}  # fmt: skip

_homes = {name: family for family, names in FAMILIES.items() for name in names}
_package = __name__.rpartition(".nn.")[0]


def __getattr__(name: str) -> Any:
    if name not in _homes:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    family = f"{_package}.{_homes[name]}"
    try:
        found = globals()[name] = getattr(import_module(family), name)
    except ModuleNotFoundError as error:
        if error.name != family:
            raise
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'") from None
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_homes})
