"""The rows that JAX is measured on, written as its users would and compiled by ``jax.jit``."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any


def make(name: str) -> Callable[[], Any] | None:
    """The row's step in JAX, every number computed; None where JAX is not installed or the row is not written."""
    if find_spec("jax") is None or name not in _ROWS:
        return None
    return _ROWS[name]()


def _training(loss: Any, parameters: Any, *data: Any, rate: float = 0.01) -> Callable[[], Any]:
    """Gradient descent."""
    import jax

    @jax.jit
    def update(parameters: Any) -> Any:
        gradients = jax.grad(loss)(parameters, *data)
        return jax.tree_util.tree_map(lambda p, g: p - rate * g, parameters, gradients)

    def step() -> None:
        nonlocal parameters
        parameters = jax.block_until_ready(update(parameters))

    return step


def _random(*shape: int) -> Any:
    import jax.numpy as jnp
    import numpy as np

    return jnp.asarray(np.random.default_rng(0).standard_normal(shape, np.float32))


def _labels(count: int, kinds: int) -> Any:
    import jax.numpy as jnp
    import numpy as np

    return jnp.asarray(np.random.default_rng(0).integers(0, kinds, count))


def _cross_entropy(scores: Any, labels: Any) -> Any:
    import jax
    import jax.numpy as jnp

    return -jnp.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], 1).mean()


def by_hand() -> Callable[[], Any]:
    """One weight, four points."""
    import jax.numpy as jnp

    x, y = jnp.array([1.0, 2, 3, 4]), jnp.array([2.0, 4, 6, 8])
    return _training(lambda w, x, y: ((y - w * x) ** 2).mean(), jnp.array(0.0), x, y)


def linear() -> Callable[[], Any]:
    """A weight and a bias."""
    import jax.numpy as jnp

    x = jnp.array([[1.0], [2], [3], [4]])
    parameters = {"weight": _random(1, 1), "bias": _random(1)}
    return _training(lambda p, x, y: ((x @ p["weight"] + p["bias"] - y) ** 2).mean(), parameters, x, 2 * x)


def logistic() -> Callable[[], Any]:
    """569 samples of 30 features."""
    import jax
    import jax.numpy as jnp

    def loss(p: Any, x: Any, y: Any) -> Any:
        chance = jax.nn.sigmoid(x @ p["weight"] + p["bias"])
        return -(y * jnp.log(chance) + (1 - y) * jnp.log(1 - chance)).mean()

    y = (_random(569, 1) > 0).astype(jnp.float32)
    return _training(loss, {"weight": _random(30, 1), "bias": _random(1)}, _random(569, 30), y)


def mlp() -> Callable[[], Any]:
    """784-500-10, batch 100, Adam."""
    import jax
    import jax.numpy as jnp

    def loss(p: Any) -> Any:
        hidden = jax.nn.relu(x @ p["w1"] + p["b1"])
        return _cross_entropy(hidden @ p["w2"] + p["b2"], y)

    @jax.jit
    def update(p: Any, m: Any, v: Any, t: Any) -> Any:
        tree = jax.tree_util.tree_map
        g = jax.grad(loss)(p)
        m = tree(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        rate, correction = 0.001 / (1 - 0.9**t), 1 - 0.999**t
        p = tree(lambda p, m, v: p - rate * m / (jnp.sqrt(v / correction) + 1e-8), p, m, v)
        return p, m, v, t + 1

    x, y = _random(100, 784), _labels(100, 10)
    p = {"w1": _random(784, 500) * 0.03, "b1": jnp.zeros(500), "w2": _random(500, 10) * 0.04, "b2": jnp.zeros(10)}
    zeros = jax.tree_util.tree_map(jnp.zeros_like, p)
    state = (p, zeros, zeros, jnp.array(1.0))

    def step() -> None:
        nonlocal state
        state = jax.block_until_ready(update(*state))

    return step


def cnn(batch: int) -> Callable[[], Any]:
    """6@5×5, 16@5×5, 120-84-10; SGD."""
    import jax
    import jax.numpy as jnp

    def pool(x: Any) -> Any:
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def convolve(x: Any, w: Any, b: Any) -> Any:
        return jax.lax.conv_general_dilated(x, w, (1, 1), "VALID") + b[:, None, None]

    def loss(p: Any, x: Any, y: Any) -> Any:
        x = pool(jax.nn.relu(convolve(x, *p["conv1"])))
        x = pool(jax.nn.relu(convolve(x, *p["conv2"]))).reshape(-1, 400)
        x = jax.nn.relu(x @ p["fc1"][0] + p["fc1"][1])
        x = jax.nn.relu(x @ p["fc2"][0] + p["fc2"][1])
        return _cross_entropy(x @ p["fc3"][0] + p["fc3"][1], y)

    shapes = {"conv1": (6, 3, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (400, 120), "fc2": (120, 84), "fc3": (84, 10)}
    p = {k: (_random(*s) * 0.1, jnp.zeros(s[0] if len(s) == 4 else s[1])) for k, s in shapes.items()}
    return _training(loss, p, _random(batch, 3, 32, 32), _labels(batch, 10), rate=0.001)


def _operator(function: Callable[..., Any], *operands: Any) -> Callable[[], Any]:
    import jax

    compiled = jax.jit(function)
    return lambda: jax.block_until_ready(compiled(*operands))


def exponential() -> Callable[[], Any]:
    """exp of 16M floats."""
    import jax.numpy as jnp

    return _operator(jnp.exp, _random(1 << 24))


def gelu() -> Callable[[], Any]:
    """GELU by the error function."""
    import jax

    return _operator(lambda x: jax.nn.gelu(x, approximate=False), _random(1 << 24))


def total() -> Callable[[], Any]:
    """The sum of 16M floats."""
    import jax.numpy as jnp

    return _operator(jnp.sum, _random(1 << 24))


def softmax() -> Callable[[], Any]:
    """4096×1024."""
    import jax

    return _operator(jax.nn.softmax, _random(4096, 1024))


def layer_norm() -> Callable[[], Any]:
    """4096×1024 with weight and bias."""
    import jax.numpy as jnp

    def function(x: Any, weight: Any, bias: Any) -> Any:
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / jnp.sqrt(variance + 1e-5) * weight + bias

    return _operator(function, _random(4096, 1024), _random(1024), _random(1024))


def convolution() -> Callable[[], Any]:
    """3×3, 64 channels to 64, 56×56, batch 8."""
    import jax

    def function(x: Any, weight: Any) -> Any:
        return jax.lax.conv_general_dilated(x, weight, (1, 1), "SAME")

    return _operator(function, _random(8, 64, 56, 56), _random(64, 64, 3, 3))


def matrix_product() -> Callable[[], Any]:
    """1024×1024 times 1024×1024."""
    return _operator(lambda a, b: a @ b, _random(1024, 1024), _random(1024, 1024))


_ROWS: dict[str, Callable[[], Callable[[], Any]]] = {
    "by_hand": by_hand, "linear": linear, "logistic": logistic, "mlp": mlp, "cnn4": lambda: cnn(4), "cnn64": lambda: cnn(64),
    "exp": exponential, "gelu": gelu, "sum": total, "softmax": softmax, "layer_norm": layer_norm, "convolution": convolution,
    "gemm": matrix_product,
}  # fmt: skip
