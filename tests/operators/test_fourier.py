"""Fourier transforms: inverses of each other, spectrograms that give the signal back."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("size", [1, 5, 8])
def test_inverses(norm, size):
    x = flambeau.tensor(np.random.default_rng(0).standard_normal((3, size)))
    fft = flambeau.fft
    for there, back in ((fft.fft, fft.ifft), (fft.fftn, fft.ifftn)):
        np.testing.assert_allclose(back(there(x, norm=norm), norm=norm).real.numpy(), x.numpy(), atol=1e-12)
    np.testing.assert_allclose(fft.irfft(fft.rfft(x, norm=norm), size, norm=norm).numpy(), x.numpy(), atol=1e-12)
    np.testing.assert_allclose(fft.hfft(fft.ihfft(x, norm=norm), size, norm=norm).numpy(), x.numpy(), atol=1e-12)


def test_single_precision_stays_single():
    assert flambeau.fft.fft(flambeau.ones(4)).dtype is flambeau.complex64
    assert flambeau.fft.irfft(flambeau.fft.rfft(flambeau.ones(4))).dtype is flambeau.float32


def test_frequencies_as_pytorch():
    torch = pytest.importorskip("torch")
    for n in (1, 4, 5):
        for name in ("fftfreq", "rfftfreq"):
            np.testing.assert_array_equal(getattr(flambeau.fft, name)(n, 0.5).numpy(), getattr(torch.fft, name)(n, 0.5).numpy())


def test_spectrograms_give_the_signal_back():
    x = flambeau.tensor(np.random.default_rng(0).standard_normal((2, 50)))
    window = flambeau.hann_window(16, dtype=flambeau.float64)
    made = flambeau.stft(x, 16, 4, window=window, return_complex=True)
    np.testing.assert_allclose(flambeau.istft(made, 16, 4, window=window, length=50).numpy(), x.numpy(), atol=1e-12)
