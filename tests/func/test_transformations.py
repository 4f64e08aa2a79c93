"""``torch.func``'s transformations agree with PyTorch's, nested too."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")


def numbers(library, *shape, seed=0):
    return library.tensor(np.random.default_rng(seed).standard_normal(shape))


def as_arrays(value):
    if isinstance(value, dict):
        return {key: as_arrays(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [as_arrays(each) for each in value]
    assert not value.requires_grad
    return value.numpy()


def compare(mine, theirs):
    if isinstance(theirs, dict):
        assert mine.keys() == theirs.keys()
        for key in theirs:
            compare(mine[key], theirs[key])
    elif isinstance(theirs, list):
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs):
            compare(a, b)
    else:
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def loss(parameters, x):
    return ((x @ parameters["w"] + parameters["b"]).tanh() ** 2).sum()


def parameters(library):
    return {"w": numbers(library, 3, 2), "b": numbers(library, 2, seed=1)}


CASES = {
    "grad": lambda t: t.func.grad(loss)(parameters(t), numbers(t, 4, 3)),
    "grad of two": lambda t: t.func.grad(loss, argnums=(1, 0))(parameters(t), numbers(t, 4, 3)),
    "grad and value": lambda t: t.func.grad_and_value(loss)(parameters(t), numbers(t, 4, 3)),
    "grad with aux": lambda t: t.func.grad(lambda x: ((x**2).sum(), x * 2), has_aux=True)(numbers(t, 3)),
    "third derivative": lambda t: t.func.grad(t.func.grad(t.func.grad(lambda x: x.sin() * x)))(t.tensor(0.5)),
    "grad in grad": lambda t: t.func.grad(lambda x: t.func.grad(lambda y: (x * y * y * x).sum())(x).sum())(numbers(t, 3)),
    "closed over": lambda t: t.func.grad(lambda x: t.func.grad(lambda y: (x * y).sum())(numbers(t, 3)).sum())(numbers(t, 3)),
    "per-sample": lambda t: t.func.vmap(t.func.grad(loss), in_dims=(None, 0))(parameters(t), numbers(t, 4, 3)),
    "vjp": lambda t: t.func.vjp(lambda x, y: {"a": x * y, "b": x.sum()}, numbers(t, 3), numbers(t, 3, seed=1))[1](
        {"a": numbers(t, 3, seed=2), "b": numbers(t, seed=3)}
    ),
    "jvp": lambda t: t.func.jvp(lambda x, y: (x * y, x.exp()), (numbers(t, 3), numbers(t, 3)), (numbers(t, 3), numbers(t, 3, seed=4))),
    "jvp in jvp": lambda t: t.func.jvp(lambda x: t.func.jvp(lambda y: y**3, (x,), (x,))[1], (numbers(t, 3),), (numbers(t, 3),)),
    "jacrev": lambda t: t.func.jacrev(lambda x, y: (x * y).cumsum(0), argnums=(0, 1))(numbers(t, 2, 2), numbers(t, 2, 2)),
    "jacfwd": lambda t: t.func.jacfwd(lambda x, y: (x * y).cumsum(0), argnums=1)(numbers(t, 2, 2), numbers(t, 2, 2)),
    "hessian": lambda t: t.func.hessian(lambda x: (x.sin() * x.sum()).sum())(numbers(t, 3)),
    "hessian of two": lambda t: t.func.hessian(lambda x, y: (x * x * y).sum(), argnums=(0, 1))(numbers(t, 2), numbers(t, 2)),
    "linearize": lambda t: t.func.linearize(lambda x: x.sin() * 2, numbers(t, 3))[1](numbers(t, 3, seed=1)),
    "vmap dims": lambda t: t.vmap(lambda x, y: x + y, in_dims=(1, None), out_dims=1)(numbers(t, 2, 3), numbers(t, 2)),
    "vmap of nests": lambda t: t.vmap(lambda d: {"s": d["x"].sum(), "y": d["y"]}, in_dims=({"x": 0, "y": 1},))(
        {"x": numbers(t, 3, 2), "y": numbers(t, 2, 3)}
    ),
    "vmap in vmap": lambda t: t.vmap(t.vmap(t.dot))(numbers(t, 2, 3, 4), numbers(t, 2, 3, 4)),
    "vmap of jacrev": lambda t: t.vmap(t.func.jacrev(lambda x: x**2))(numbers(t, 2, 3)),
    "vmap of nothing": lambda t: t.vmap(lambda x: x * 2)(t.zeros(0, 3)),
    "constant": lambda t: t.func.jacrev(lambda x: t.ones(2, dtype=t.float64))(numbers(t, 3)),
}


@pytest.mark.parametrize("case", CASES)
def test_as_pytorch(case):
    compare(as_arrays(CASES[case](flambeau)), as_arrays(CASES[case](torch)))


ERRORS = [
    lambda t, x: t.func.grad(lambda a: a)(x),
    lambda t, x: t.func.grad(lambda a: 1.0)(x),
    lambda t, x: t.func.grad(lambda a: a.sum(), argnums=3)(x),
    lambda t, x: t.func.grad(lambda a: a.sum(), has_aux=True)(x),
    lambda t, x: t.vmap(lambda a: 1)(x),
    lambda t, x: t.vmap(lambda a: a)(),
    lambda t, x: t.vmap(lambda a: a, in_dims=3)(x),
    lambda t, x: t.vmap(lambda a, b: a)(x, t.ones(3)),
    lambda t, x: t.vmap(lambda a: a, in_dims=(0, 0))(x),
    lambda t, x: t.vmap(lambda a: a, in_dims="x")(x),
    lambda t, x: t.vmap(lambda a: t.rand(2))(x),
    lambda t, x: t.vmap(lambda a: a)(3),
    lambda t, x: t.vmap(lambda a: a, out_dims=(0, 1))(x),
    lambda t, x: t.vmap(lambda a: a, out_dims=5)(x),
    lambda t, x: t.vmap(lambda a: a, randomness="x")(x),
    lambda t, x: t.func.jvp(lambda a: a, x, x),
    lambda t, x: t.func.jvp(lambda a: a, (x,), (t.ones(3),)),
    lambda t, x: t.func.vjp(lambda a: 1, x),
    lambda t, x: t.func.vjp(lambda a: a, x)[1](t.ones(3)),
    lambda t, x: t.func.vjp(lambda a: (a, a), x)[1](x),
]


@pytest.mark.parametrize("place", range(len(ERRORS)))
def test_errors(place):
    caught = []
    for library in (flambeau, torch):
        with pytest.raises(Exception) as error:
            ERRORS[place](library, library.ones(2))
        caught.append((error.type, str(error.value)))
    assert caught[0] == caught[1]


def test_randomness():
    same = flambeau.vmap(lambda x: x + flambeau.rand(3), randomness="same")(flambeau.zeros(4))
    assert all(bool((row == same[0]).all()) for row in same)
    different = flambeau.vmap(lambda x: x + flambeau.rand(3), randomness="different")(flambeau.zeros(4))
    assert not bool((different[0] == different[1]).any())


def test_results_stay_on_the_tape_of_what_is_outside():
    for library in (flambeau, torch):
        weight = library.ones(3, requires_grad=True)
        found = library.func.grad(lambda x: (weight * x * x).sum())(library.ones(3))
        assert found.requires_grad
        found.sum().backward()
        assert weight.grad.tolist() == [2.0, 2.0, 2.0]
        with library.no_grad():
            assert not library.func.grad(lambda x: (weight * x * x).sum())(library.ones(3)).requires_grad


def test_ensembles():
    for library in (flambeau, torch):
        models = [library.nn.Linear(3, 2) for _ in range(4)]
        stacked, buffers = library.func.stack_module_state(models)
        x = library.ones(5, 3)
        made = library.vmap(lambda p, b: library.func.functional_call(models[0], (p, b), (x,)))(stacked, buffers)
        for row, model in zip(made, models):
            assert library.allclose(row, model(x), atol=1e-6)


def test_rearrange():
    x = numbers(flambeau, 2, 3, 4)
    y = torch.tensor(x.numpy())
    for pattern, sizes in (("a b c -> c (a b)", {}), ("a b (c d) -> (d a) b c", {"c": 2}), ("... c -> c ...", {})):
        mine = flambeau.func.rearrange(x, pattern, **sizes)
        np.testing.assert_array_equal(mine.numpy(), torch.func.rearrange(y, pattern, **sizes).numpy())
