"""The short-time Fourier transform and its inverse: windows that slide over a signal, transformed one by one.

Griffin and Lim, "Signal estimation from modified short-time Fourier transform", 1984.
"""

from __future__ import annotations

from typing import Any

from ..core.dtypes import COMPLEX, FLOATING
from ..core.names import scalar_name
from .declaration import composite, functions
from .fourier import fft, ifft, irfft, rfft
from .padding import pad

_NEEDS_FLAG = (
    "stft requires the return_complex parameter be given for real inputs, and will further require that return_complex=True in a "
    "future PyTorch release."
)


def _window(window: Any, win_length: int, n_fft: int, like: Any) -> Any:
    """The window filled with zeros on both sides to the size of a frame; None where there is none and none is needed."""
    if window is None:
        if win_length == n_fft:
            return None
        kind = like._spec.dtype.to_real()
        window = functions["ones"](win_length, dtype=kind, device=like._spec.device)
    left = (n_fft - win_length) // 2
    return pad(window, (left, n_fft - win_length - left)) if win_length < n_fft else window


def _shape(x: Any) -> str:
    return str(list(x._spec.shape))


@composite()
def stft(
    input: Any, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Any = None, center: bool = True,
    pad_mode: str = "reflect", normalized: bool = False, onesided: bool | None = None, return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Any:  # fmt: skip
    """The transforms of ``n_fft`` samples each, ``hop_length`` apart, weighted by ``window``: (…, frequencies, frames).

    >>> import flambeau as torch
    >>> torch.stft(torch.ones(16), 4, window=torch.ones(4), return_complex=True).shape
    torch.Size([3, 17])
    """
    spec = input._spec
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    complex_input = spec.dtype.category == COMPLEX
    complex_window = window is not None and window._spec.dtype.category == COMPLEX
    if return_complex is None:
        return_complex = complex_input or complex_window
        if not return_complex:
            raise RuntimeError(_NEEDS_FLAG)
    if spec.dtype.category < FLOATING:
        raise RuntimeError(f"stft({_call(input, n_fft, hop, length)}): expected a tensor of floating point or complex values")
    if spec.ndim not in (1, 2):
        raise RuntimeError(f"stft({_call(input, n_fft, hop, length)}): expected a 1D or 2D tensor")
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false.")
    x = input.unsqueeze(0) if spec.ndim == 1 else input
    if center:
        x = pad(x.unsqueeze(1), (n_fft // 2, n_fft // 2), mode=pad_mode).squeeze(1)
    size = x._spec.shape[1]
    if n_fft <= 0 or n_fft > size:
        raise RuntimeError(f"stft({_call(input, n_fft, hop, length)}): expected 0 < n_fft <= {size}, but got n_fft={n_fft}")
    if hop <= 0:
        raise RuntimeError(f"stft({_call(input, n_fft, hop, length)}): expected hop_length > 0, but got hop_length={hop}")
    if length <= 0 or length > n_fft:
        raise RuntimeError(f"stft({_call(input, n_fft, hop, length)}): expected 0 < win_length <= n_fft, but got win_length={length}")
    if window is not None and tuple(window._spec.shape) != (length,):
        raise RuntimeError(
            f"stft({_call(input, n_fft, hop, length)}): expected a 1D window tensor of size equal to win_length={length}, but got "
            f"window with size {_shape(window)}"
        )
    weights = _window(window, length, n_fft, input)
    frames = x.unfold(-1, n_fft, hop)
    if weights is not None:
        frames = frames * weights
    full = frames._spec.dtype.category == COMPLEX
    onesided = not full if onesided is None else onesided
    if onesided and full:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    norm = "ortho" if normalized else None
    made = (rfft if onesided else fft)(frames, None, -1, norm).transpose(1, 2)
    if spec.ndim == 1:
        made = made.squeeze_(0)
    return made if return_complex else functions["view_as_real"](made)


def _call(x: Any, n_fft: int, hop: int, length: int) -> str:
    return f"{scalar_name(x._spec.dtype)}{_shape(x)}, n_fft={n_fft}, hop_length={hop}, win_length={length}"


@composite()
def istft(
    input: Any, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Any = None, center: bool = True,
    normalized: bool = False, onesided: bool | None = None, length: int | None = None, return_complex: bool = False,
) -> Any:  # fmt: skip
    """The signal of which ``input`` (…, frequencies, frames) is the :func:`stft`: frames added where they overlap, over the sum
    of the squared windows there.

    >>> import flambeau as torch
    >>> x = torch.arange(8.0)
    >>> torch.istft(torch.stft(x, 4, window=torch.ones(4), return_complex=True), 4, window=torch.ones(4), length=8)
    tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    spec = input._spec
    hop = n_fft // 4 if hop_length is None else hop_length
    win = n_fft if win_length is None else win_length
    if spec.dtype.category != COMPLEX:
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    what = f"istft({_call(input, n_fft, hop, win)})"
    if spec.numel == 0:
        raise RuntimeError(f"{what}: input tensor cannot be empty.")
    if spec.ndim not in (2, 3):
        raise RuntimeError(f"{what}: expected a tensor with 2 or 3 dimensions, but got {spec.ndim}")
    x = input.unsqueeze(0) if spec.ndim == 2 else input
    frequencies, count = x._spec.shape[1:]
    onesided = frequencies != n_fft if onesided is None else onesided
    expected = n_fft // 2 + 1 if onesided else n_fft
    if frequencies != expected:
        raise RuntimeError(
            f"{what}: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft"
            f"{' / 2 + 1 when onesided=True' if onesided else ' when onesided=False'}, but got {frequencies}"
        )
    if not 0 < hop <= win:
        raise RuntimeError(f"{what}: expected 0 < hop_length <= win_length")
    if not 0 < win <= n_fft:
        raise RuntimeError(f"{what}: expected 0 < win_length <= n_fft")
    if window is not None and tuple(window._spec.shape) != (win,):
        raise RuntimeError(f"{what}: Invalid window shape. window has to be 1D and length of `win_length`")
    if return_complex and onesided:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    norm = "ortho" if normalized else None
    frames = x.transpose(1, 2)
    if return_complex:
        frames = ifft(frames, None, -1, norm)
    else:
        if window is not None and window._spec.dtype.category == COMPLEX:
            raise RuntimeError("Complex windows are incompatible with return_complex=False")
        frames = irfft(frames if onesided else frames[..., : n_fft // 2 + 1], n_fft, -1, norm)
    weights = _window(window, win, n_fft, frames)
    if weights is None:
        weights = functions["ones"](n_fft, dtype=spec.dtype.to_real(), device=spec.device)
    frames = frames * weights
    size = n_fft + hop * (count - 1)
    starts = functions["arange"](count) * hop
    index = (starts.unsqueeze(1) + functions["arange"](n_fft)).reshape(-1)
    batch = frames._spec.shape[0]
    signal = frames.new_zeros((batch, size)).index_add(1, index, frames.reshape(batch, -1))
    squares = (weights * weights).expand(count, n_fft).reshape(-1)
    envelope = squares.new_zeros(size).index_add(0, index, squares)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else size - (n_fft // 2 if center else 0)
    signal, envelope = signal[:, start : min(end, size)], envelope[start : min(end, size)]
    if not bool((envelope.detach().abs() > 1e-11).all()):
        raise RuntimeError(f"{what}: window overlap add min: 0")
    signal = signal / envelope
    if end > size:
        import warnings

        warnings.warn("The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. "
                      "Please check your center and hop_length settings.", stacklevel=4)  # fmt: skip
        signal = pad(signal, (0, end - size))
    return signal.squeeze(0) if spec.ndim == 2 else signal
