"""Automatic mixed precision: which operators compute in the lower precision, and which in float32.

An operator named here is wrapped when it is declared; all others cost nothing. Inside a wrapped operator autocasting is
off, so that what it is made of does not matter.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from ..autograd.grad_mode import rewriting
from ..core.dtypes import bfloat16, dtype, float16, float32, float64
from ..tracing.handles import Handle

#: Contractions: computed in the context's dtype.
LOWER = frozenset(
    "matmul mm bmm addmm addbmm baddbmm linear einsum tensordot chain_matmul multi_dot linalg_multi_dot linalg_vecdot "
    "vecdot conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d prelu "
    "scaled_dot_product_attention lstm rnn_tanh rnn_relu rnn_tanh_cell rnn_relu_cell".split()
)
#: Losses, transforms and decompositions: computed in float32.
FLOAT32 = frozenset(
    "avg_pool3d binary_cross_entropy binary_cross_entropy_with_logits grid_sample polar prod quantile nanquantile stft "
    "cdist trace view_as_complex cholesky cholesky_inverse cholesky_solve inverse lu_solve orgqr ormqr pinverse "
    "max_pool3d max_unpool2d max_unpool3d adaptive_avg_pool3d mse_loss cosine_embedding_loss nll_loss "
    "hinge_embedding_loss poisson_nll_loss smooth_l1_loss cross_entropy l1_loss huber_loss margin_ranking_loss "
    "soft_margin_loss triplet_margin_loss multi_margin_loss ctc_loss kl_div multilabel_margin_loss fft_fft fft_ifft "
    "fft_fft2 fft_ifft2 fft_fftn fft_ifftn fft_rfft fft_irfft fft_rfft2 fft_irfft2 fft_rfftn fft_irfftn fft_hfft "
    "fft_ihfft linalg_cond linalg_matrix_rank linalg_solve linalg_cholesky linalg_svdvals linalg_eigvals "
    "linalg_eigvalsh linalg_inv linalg_householder_product linalg_tensorinv linalg_tensorsolve linalg_qr linalg_eig "
    "linalg_eigh linalg_lstsq linalg_inv_ex geqrf lu qr svd gru gru_cell lstm_cell".split()
)
#: Several tensors that become one: computed in the widest of their dtypes.
WIDEST = frozenset("cat concat concatenate stack index_copy".split())
#: Made of contractions here, but operators of their own that PyTorch leaves alone.
UNTOUCHED = frozenset("mv addmv dot vdot inner outer ger addr bilinear".split())


class _State(threading.local):
    """The current thread's regions. Only that of the CPU acts on tensors."""

    def __init__(self) -> None:
        self.enabled: dict[str, bool] = {}
        self.dtypes: dict[str, dtype] = {"cpu": bfloat16, "xla": bfloat16, "hpu": bfloat16, "mtia": bfloat16}
        self.cache_enabled = True
        self.nesting = 0
        self.active: dtype | None = None

    def set_enabled(self, device: str, enabled: bool) -> None:
        self.enabled[device] = enabled
        self.refresh()

    def set_dtype(self, device: str, kind: dtype) -> None:
        self.dtypes[device] = kind
        self.refresh()

    def dtype_of(self, device: str) -> dtype:
        return self.dtypes.get(device, float16)

    def refresh(self) -> None:
        """What the wrapped operators look at: the lower dtype, or None outside of every region."""
        self.active = self.dtypes["cpu"] if self.enabled.get("cpu") else None
        if self.active is None:
            _threads.discard(threading.get_ident())
        else:
            _threads.add(threading.get_ident())


#: The threads inside a region. Mostly empty, and then a wrapped operator costs next to nothing more than a bare one.
_threads = rewriting
state = _State()


def autocasting(call: Callable[..., Any], name: str) -> Callable[..., Any]:
    """``call``, with its operands cast inside an autocast region if the operator called ``name`` is one of these."""
    choose: Callable[[dtype, Any, Any], dtype | None]
    if name in LOWER:
        choose = _lower
    elif name in FLOAT32:
        choose = _float32
    elif name in WIDEST:
        choose = _widest
    elif name in UNTOUCHED:
        choose = _none
    else:
        return call

    @functools.wraps(call)
    def function(*args: Any, **kwargs: Any) -> Any:
        if not _threads:
            return call(*args, **kwargs) if kwargs else call(*args)
        lower = state.active
        if lower is None:
            return call(*args, **kwargs)
        if kwargs.get("out") is None:
            kind = choose(lower, args, kwargs)
            if kind is not None:
                args = tuple(cast(value, kind) for value in args)
                kwargs = {key: cast(value, kind) for key, value in kwargs.items()}
        state.active = None
        try:
            return call(*args, **kwargs)
        finally:
            state.active = lower

    return function


def cast(value: Any, kind: dtype) -> Any:
    """Floating-point tensors in ``value`` as ``kind``, except float64, which is never lowered."""
    if isinstance(value, Handle):
        present = value._spec.dtype
        if present.is_floating_point and present is not kind and present is not float64:
            return value.to(kind)
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(each, Handle) for each in value):
        return type(value)([cast(each, kind) for each in value])
    return value


def _lower(lower: dtype, args: Any, kwargs: Any) -> dtype:
    return lower


def _float32(lower: dtype, args: Any, kwargs: Any) -> dtype:
    return float32


def _none(lower: dtype, args: Any, kwargs: Any) -> None:
    return None


def _widest(lower: dtype, args: Any, kwargs: Any) -> dtype | None:
    present = {each._spec.dtype for each in _tensors((*args, *kwargs.values()))}
    return float32 if float32 in present else lower if lower in present else None


def _tensors(values: Any) -> list[Any]:
    found = []
    for value in values:
        if isinstance(value, Handle):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += [each for each in value if isinstance(each, Handle)]
    return found
