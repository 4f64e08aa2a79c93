"""Linear algebra against PyTorch: values, errors, gradients where factors are not unique."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")


def pair(*shape, seed=0, complex_=False):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(shape)
    if complex_:
        x = x + 1j * generator.standard_normal(shape)
    return flambeau.tensor(x), torch.tensor(x)


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("shape", [(70, 70), (2, 5, 5), (40, 70), (70, 40)])
def test_factors_make_the_matrix(shape, complex_):
    a, _ = pair(*shape, complex_=complex_)
    linalg = flambeau.linalg
    p, l, u = linalg.lu(a)
    q, r = linalg.qr(a)
    left, s, right = linalg.svd(a, full_matrices=False)
    for made in (p @ l @ u, q @ r, left * s.unsqueeze(-2) @ right, a @ linalg.pinv(a) @ a):
        np.testing.assert_allclose(made.numpy(), a.numpy(), atol=1e-10)


@pytest.mark.parametrize("complex_", [False, True])
def test_indefinite_systems(complex_):
    a, _ = pair(3, 9, 9, complex_=complex_)
    for hermitian in (False, True):
        symmetric = a + (a.mH if hermitian else a.mT)
        symmetric[..., 0, 0] = 0
        b, _ = pair(3, 9, 2, seed=1, complex_=complex_)
        packed, pivots = flambeau.linalg.ldl_factor(symmetric, hermitian=hermitian)
        x = flambeau.linalg.ldl_solve(packed, pivots, b, hermitian=hermitian)
        np.testing.assert_allclose((symmetric @ x).numpy(), b.numpy(), atol=1e-9)


def test_errors_are_raised_at_the_call():
    for call, message in (
        (lambda t: t.linalg.cholesky(-t.eye(3)), "leading minor of order 1"),
        (lambda t: t.linalg.cholesky(t.zeros(2, 2, 2)), "Batch element 0"),
        (lambda t: t.linalg.inv(t.zeros(3, 3)), "diagonal element 1 is zero"),
        (lambda t: t.linalg.solve(t.zeros(3, 3), t.ones(3)), "input matrix is singular"),
        (lambda t: t.linalg.inv(t.ones(2, 3)), "batches of square matrices"),
        (lambda t: t.linalg.inv(t.ones(3, 3, dtype=t.float16)), "Low precision dtypes not supported"),
        (lambda t: t.linalg.qr(t.ones(3, 3), mode="x"), "unrecognized mode"),
    ):
        kinds = []
        for library in (flambeau, torch):
            with pytest.raises(RuntimeError, match=message) as caught:
                call(library)
            kinds.append(isinstance(caught.value, library.linalg.LinAlgError))
        assert kinds[0] == kinds[1]


def test_equal_eigenvalues_do_no_harm_to_gradients_of_eigenvalues():
    a = flambeau.eye(3, dtype=flambeau.float64, requires_grad=True)
    flambeau.linalg.eigh(a).eigenvalues.sum().backward()
    np.testing.assert_allclose(a.grad.numpy(), np.eye(3))
    b = flambeau.eye(3, dtype=flambeau.float64, requires_grad=True)
    flambeau.linalg.svdvals(b).sum().backward()
    np.testing.assert_allclose(b.grad.numpy(), np.eye(3))


def test_the_determinant_of_a_singular_matrix_has_a_gradient():
    x = np.array([[1.0, 2, 3], [2, 4, 6], [0, 1, 1]])
    grads = []
    for library in (flambeau, torch):
        a = library.tensor(x, requires_grad=True)
        library.linalg.det(a).backward()
        grads.append(a.grad.numpy())
    np.testing.assert_allclose(*grads, atol=1e-10)


def test_low_rank():
    a, _ = pair(20, 3)
    flambeau.manual_seed(0)
    u, s, v = flambeau.svd_lowrank(a @ a.mT, q=4)
    np.testing.assert_allclose((u * s @ v.mT).numpy(), (a @ a.mT).numpy(), atol=1e-9)
