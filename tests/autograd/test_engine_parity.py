"""What the engine does, step by step as PyTorch's: hooks, accumulation, in-place writes, views, leaf rules, modes."""

from __future__ import annotations

import re
import warnings

import pytest

import flambeau

torch = pytest.importorskip("torch")

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def plain(value):
    """Tensors as lists, with whether they require grad."""
    if hasattr(value, "detach"):
        return ["tensor", plain(value.detach().tolist()), bool(value.requires_grad)]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def attempt(function):
    """The result, or the kind of error and its first words."""
    try:
        return plain(function())
    except Exception as error:
        text = re.sub(r"0x[0-9a-f]+", "", str(error))
        text = re.sub(r"\[torch\.FloatTensor|\[torch\.\w+Tensor", "[T", text)
        return type(error).__name__, text[:70]


# -- accumulation, keeping the graph ----------------------------------------------------------------------------------


@case
def accumulates(t):
    x = t.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    return x.grad, first is x.grad


@case
def second_pass_fails(t):
    x = t.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    return attempt(y.backward), x.grad


@case
def second_pass_of_a_sum_succeeds(t):
    x = t.ones(2, requires_grad=True)
    y = (x + 2).sum()
    y.backward()
    return attempt(y.backward), x.grad


@case
def retain_graph(t):
    x = t.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


@case
def create_graph(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    (g,) = t.autograd.grad((x**3).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x)
    return g, h


@case
def create_graph_in_backward(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x**3).sum().backward(create_graph=True)
    return x.grad, x.grad.requires_grad


@case
def only_some_inputs(t):
    x, w = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
    y = x * w
    z = (y * y).sum()
    y.retain_grad()
    z.backward(inputs=[x])
    return x.grad, w.grad, y.grad


@case
def inputs_that_are_no_leaves(t):
    x = t.ones(2, requires_grad=True)
    y = x * 3
    (y * y).sum().backward(inputs=[y])
    return attempt(lambda: y.grad), x.grad


@case
def empty_inputs(t):
    x = t.ones(2, requires_grad=True)
    return attempt(lambda: x.sum().backward(inputs=[]))


@case
def unused(t):
    x, w = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
    return (
        attempt(lambda: t.autograd.grad(x.sum(), [x, w])),
        attempt(lambda: t.autograd.grad(x.sum(), [x, w], allow_unused=True)),
        attempt(lambda: t.autograd.grad(x.sum(), [x, w], materialize_grads=True)),
        attempt(lambda: t.autograd.grad(x.sum(), t.ones(2))),
    )


@case
def wrong_seeds(t):
    x = t.ones(2, requires_grad=True)
    return (
        attempt(lambda: x.backward()),
        attempt(lambda: (x * 1).backward(t.ones(3))),
        attempt(lambda: t.ones(2).sum().backward()),
        attempt(lambda: t.autograd.grad([x * 1, x * 2], x, [t.ones(2)])),
        attempt(lambda: (x * 1j).sum().backward()),
    )


@case
def batched_gradients(t):
    x = t.ones(2, requires_grad=True)
    return t.autograd.grad(x * t.tensor([1.0, 2.0]), x, t.eye(2), is_grads_batched=True)


@case
def gradient_of_a_gradient_edge(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    edge = t.autograd.graph.get_gradient_edge(y)
    return (
        t.autograd.grad((y * y).sum(), edge, retain_graph=True),
        t.autograd.grad(edge, x, t.ones(2)),
        attempt(lambda: t.autograd.graph.get_gradient_edge(t.ones(1))),
    )


@case
def several_roots(t):
    x = t.ones(2, requires_grad=True)
    t.autograd.backward([x * 2, x * 3], [t.ones(2), t.ones(2)])
    return x.grad


@case
def diamond(t):
    x = t.tensor([2.0], requires_grad=True)
    y = x * 3
    z = y * y + y.exp() * y
    z.backward()
    return x.grad


@case
def broadcast_sums(t):
    x, b = t.ones(3, 2, requires_grad=True), t.ones(1, 2, requires_grad=True)
    s = t.tensor(2.0, requires_grad=True)
    (x * b * s).sum().backward()
    return x.grad, b.grad, s.grad


@case
def mixed_dtypes(t):
    x = t.ones(2, dtype=t.float32, requires_grad=True)
    y = t.ones(2, dtype=t.float64, requires_grad=True)
    (x * y).sum().backward()
    return str(x.grad.dtype), str(y.grad.dtype)


@case
def assigning_grad(t):
    x = t.ones(2, requires_grad=True)

    def assign(value):
        x.grad = value

    return [
        attempt(lambda value=value: assign(value))
        for value in (t.ones(3), t.ones(2, dtype=t.float64), 3, None, t.ones(2))
    ]


# -- hooks --------------------------------------------------------------------------------------------------------------


@case
def tensor_hooks(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    seen = []
    first = y.register_hook(lambda g: seen.append(g.tolist()))
    second = y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.sum().backward(retain_graph=True)
    first.remove()
    second.remove()
    y.sum().backward()
    return seen, x.grad


@case
def leaf_hooks(t):
    x = t.ones(2, requires_grad=True)
    seen = []
    handle = x.register_hook(lambda g: g * 2)
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    (x * 3).sum().backward()
    handle.remove()
    (x * 3).sum().backward()
    return seen, x.grad


@case
def hooks_and_retained(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 5)
    y.sum().backward()
    return y.grad, x.grad, y.retains_grad


@case
def hooks_on_captured(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 5)
    x.register_hook(lambda g: g * 7)
    return t.autograd.grad(y.sum(), [y, x])


@case
def node_hooks(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    seen = []
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 3,))
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append((inputs[0].tolist(), outputs[0].tolist())))
    y.grad_fn.register_hook(lambda inputs, outputs: tuple(None if g is None else g + 1 for g in inputs))
    y.sum().backward()
    return seen, x.grad


@case
def multi_grad_hooks(t):
    x, y, z = (t.ones(2, requires_grad=True) for _ in range(3))
    seen = []

    def note(grads):
        seen.append([None if g is None else g.tolist() for g in grads])

    handle = t.autograd.graph.register_multi_grad_hook([x, y, z], note)
    (x * 2 + y * 3).sum().backward()
    (x * z * y).sum().backward()
    handle.remove()
    (x * z * y).sum().backward()
    anyway = []
    t.autograd.graph.register_multi_grad_hook([x, y], lambda g: anyway.append(1), mode="any")
    (x * 2 + y * 3).sum().backward()
    return seen, anyway


@case
def retained_and_written(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    seen = []
    y.register_hook(lambda g: seen.append(("before", g.tolist())))
    y.mul_(3)
    y.register_hook(lambda g: seen.append(("after", g.tolist())))
    (y * 5).sum().backward()
    return sorted(seen), y.grad, x.grad


@case
def hooks_that_fail(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2

    def fail(g):
        raise ValueError("hook")

    handle = y.register_hook(fail)
    found = attempt(lambda: y.sum().backward(retain_graph=True))
    handle.remove()
    y.sum().backward()
    y = x * 2
    y.register_hook(lambda g: g[:1])
    shape = attempt(lambda: y.sum().backward())
    z = x * 2
    z.register_hook(lambda g: 3)
    return found, x.grad, shape[0], attempt(lambda: z.sum().backward())[0]


@case
def written_rows(t):
    w = t.ones(2, requires_grad=True)
    z = t.zeros(2, 2)
    z[0] = w
    z[1] = z[0] * 2
    z.sum().backward()
    return w.grad


@case
def views_of_views_written(t):
    x = t.ones(3, requires_grad=True)
    a = x * 2
    b, c = a[0], a[1:]
    d = c[0]
    d.mul_(4)
    b.add_(d.detach())
    (a * a).sum().backward()
    return x.grad, c


@case
def masks_written(t):
    x = t.ones(3, requires_grad=True)
    y = x.clone()
    y.clamp_(max=0.5)
    y.masked_fill_(t.tensor([True, False, False]), 2.0)
    y.index_fill_(0, t.tensor([1]), 3.0)
    y[y > 2.5] = 0.0
    y.t_()
    y.sum().backward()
    return x.grad


@case
def data_exchanged(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.data = t.zeros(2)
    (y * y).sum().backward()
    return x.grad, y


@case
def hook_rules(t):
    x = t.ones(2, requires_grad=True)
    return (
        attempt(lambda: t.ones(2).register_hook(lambda g: g)),
        attempt(lambda: (x * 2).register_post_accumulate_grad_hook(lambda g: g)),
        attempt(lambda: t.ones(2).retain_grad()),
        attempt(lambda: x.retain_grad()),
        x.retains_grad,
    )


@case
def grad_of_an_inner_tensor(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    (x * 1).sum().backward()
    return y.grad, x.grad


# -- in place and views ----------------------------------------------------------------------------------------------


@case
def in_place_on_an_inner_tensor(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.mul_(3).add_(1)
    y.sum().backward()
    return x.grad, y, type(y.grad_fn).__name__


@case
def in_place_on_a_view(t):
    x = t.ones(3, requires_grad=True)
    y = x * 1
    y[0].mul_(5)
    y[1:] *= 7
    y.sum().backward()
    return x.grad, y, type(y.grad_fn).__name__


@case
def view_after_the_base_is_written(t):
    x = t.ones(3, requires_grad=True)
    y = x * 1
    v = y[:2]
    y.mul_(4)
    v.sum().backward()
    return x.grad, v, type(v.grad_fn).__name__


@case
def two_views(t):
    x = t.ones(4, requires_grad=True)
    y = x * 1
    a, b = y[:3], y[1:]
    a.mul_(2)
    b.mul_(3)
    a.add_(1)
    (y * y).sum().backward()
    return x.grad, y, a, b


@case
def copying_into_a_view(t):
    x, w = t.zeros(3), t.ones(2, requires_grad=True)
    x[1:] = w * 2
    x.sum().backward()
    return w.grad, x, x.is_leaf


@case
def view_of_an_untracked_base(t):
    base, w = t.zeros(3), t.ones(3, requires_grad=True)
    view = base[:2]
    before = view.requires_grad
    base.add_(w)
    after = view.requires_grad
    (view * 3).sum().backward()
    return before, after, w.grad, view.is_leaf, type(view.grad_fn).__name__


@case
def other_view_of_an_untracked_base(t):
    base, w = t.zeros(4), t.ones(2, requires_grad=True)
    first, second = base[:2], base[1:3]
    first.mul_(2).add_(w)
    result = second.requires_grad, base.requires_grad, first.requires_grad
    (second * t.tensor([3.0, 5.0])).sum().backward()
    return result, w.grad


@case
def transposed_view(t):
    x = t.arange(6.0).reshape(2, 3).requires_grad_()
    y = x * 1
    y.t()[0].mul_(10)
    y.t().select(1, 1).exp_()
    y.sum().backward()
    return x.grad


@case
def view_chain(t):
    x = t.ones(2, 6, requires_grad=True)
    y = x.clone()
    z = y.view(3, 4)[1:].t()
    z.mul_(2)
    y.view(-1)[::2].add_(y.view(-1)[1::2].detach())
    (y**2).sum().backward()
    return x.grad


@case
def filling(t):
    x = t.ones(3, requires_grad=True)
    y = x * 2
    y[0] = 7.0
    y[1:].zero_()
    y.sum().backward()
    return x.grad, y


@case
def saved_and_written(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    z = y * y
    y.add_(1)
    return attempt(lambda: z.sum().backward())


@case
def saved_result_and_written(t):
    x = t.ones(2, requires_grad=True)
    y = x.exp()
    y.add_(1)
    return attempt(lambda: y.sum().backward())


@case
def saved_view_and_written(t):
    x = t.ones(4, requires_grad=True)
    y = x * 2
    z = y[:2] * y[2:]
    y[0] = 3.0
    return attempt(lambda: z.sum().backward())


@case
def written_but_not_saved(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    z = y + 1
    y.mul_(3)
    (z + y).sum().backward()
    return x.grad


@case
def versions(t):
    x = t.ones(2)
    v = x[0]
    x.add_(1)
    v.mul_(2)
    x.detach().add_(1)
    x.data.add_(1)
    t.autograd.graph.increment_version(x)
    return x._version, v._version


@case
def written_without_version(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    z = (y * y).sum()
    y.data.mul_(3)
    return attempt(lambda: z.backward()), x.grad


@case
def leaf_rules(t):
    x = t.ones(2, requires_grad=True)

    def set_item():
        x[0] = 1

    def optimize():
        with t.no_grad():
            x.add_(1)
        return x, x.is_leaf

    return (
        attempt(lambda: x.add_(1)), attempt(lambda: x[0].add_(1)), attempt(set_item), attempt(optimize),
        attempt(lambda: x.view(2).mul_(2)), attempt(lambda: (x * 1).requires_grad_(False)), attempt(lambda: x.detach_()),
        attempt(lambda: t.ones(2, dtype=t.int64, requires_grad=True))[0],
    )  # fmt: skip


@case
def detaching(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    v = y[:1]
    d = y.detach()
    d.add_(1)
    result = attempt(lambda: v.detach_()), d, y
    y.detach_()
    return result, y.is_leaf, y.requires_grad, y.grad_fn is None


@case
def data_and_requires_grad(t):
    x = t.ones(2)
    y = x * 2
    y.requires_grad_()
    (y * 3).sum().backward()
    x.requires_grad = True
    z = x * 1

    def switch_off():
        z.requires_grad = False

    return y.grad, y.is_leaf, attempt(switch_off)


@case
def writes_of_tracked_values(t):
    buffer, w = t.zeros(2), t.ones(2, requires_grad=True)
    buffer.copy_(w * 2)
    result = buffer.requires_grad, type(buffer.grad_fn).__name__
    buffer.sum().backward()
    return result, w.grad


@case
def out_of_tracked(t):
    w, target = t.ones(2, requires_grad=True), t.empty(2)
    return attempt(lambda: t.mul(w, 2, out=target)), attempt(lambda: t.mul(t.ones(2), 2, out=w))


@case
def in_place_twice_with_saved(t):
    x = t.tensor([0.5, 0.25], requires_grad=True)
    y = x.clone()
    y.sigmoid_()
    y.mul_(y.detach().clone())
    y.relu_()
    y.pow_(2)
    return attempt(lambda: y.sum().backward())


@case
def split_views(t):
    x = t.ones(4, requires_grad=True)
    y = x * 1
    a, _ = y.split(2)
    return attempt(lambda: a.mul_(2))


@case
def unbound_views(t):
    x = t.ones(2, 2, requires_grad=True)
    a, _ = (x * 1).unbind()
    return attempt(lambda: a.mul_(2))


@case
def view_made_without_grad(t):
    x = t.ones(2, requires_grad=True)
    y = x * 1
    with t.no_grad():
        v = y[:1]
    return attempt(lambda: v.mul_(2))


@case
def expanded_write(t):
    x = t.ones(1, requires_grad=True)
    return attempt(lambda: (x * 1).expand(3).mul_(2))


# -- modes ----------------------------------------------------------------------------------------------------------------


@case
def modes(t):
    x = t.ones(2, requires_grad=True)

    @t.no_grad()
    def first():
        return (x * 2).requires_grad

    @t.no_grad
    def second():
        return (x * 2).requires_grad

    @t.enable_grad()
    def third():
        return (x * 2).requires_grad

    @t.no_grad()
    def generator():
        got = yield t.is_grad_enabled()
        yield got, t.is_grad_enabled()

    with t.no_grad():
        inside = (x * 2).requires_grad, third(), t.is_grad_enabled()
        with t.enable_grad():
            nested = (x * 2).requires_grad
    made = generator()
    steps = next(made), t.is_grad_enabled(), made.send(5), t.is_grad_enabled()
    with t.set_grad_enabled(False):
        switched = t.is_grad_enabled()
    t.set_grad_enabled(False)
    off = t.is_grad_enabled()
    t.set_grad_enabled(True)
    return first(), second(), inside, nested, steps, switched, off


@case
def mode_restored_after_errors(t):
    try:
        with t.no_grad():
            raise ValueError
    except ValueError:
        pass
    return t.is_grad_enabled()


@case
def inference(t):
    x = t.ones(2, requires_grad=True)
    with t.inference_mode():
        y = x * 2
        z = t.ones(2)
        z.add_(1)
        flags = y.requires_grad, t.is_inference_mode_enabled(), z.is_inference()
    return flags, t.is_inference_mode_enabled(), attempt(lambda: z.add_(1)), attempt(lambda: z.requires_grad_())


@case
def inference_decorator(t):
    @t.inference_mode()
    def run(x):
        return (x * 2).requires_grad, t.is_grad_enabled()

    with t.inference_mode(False):
        off = t.ones(1).is_inference()
    return run(t.ones(2, requires_grad=True)), off


@case
def constructors_without_grad(t):
    with t.no_grad():
        x = t.ones(2, requires_grad=True)
        y = x.clone()
    return x.requires_grad, y.requires_grad, y.is_leaf


# -- the graph ------------------------------------------------------------------------------------------------------------


@case
def next_functions(t):
    x = t.ones(2, requires_grad=True)
    y = (x * 2 + t.ones(2)).sum()

    def names(node, depth=0):
        return [node.name(), [(None if each is None else names(each), k) for each, k in node.next_functions]]

    accumulator = y.grad_fn.next_functions[0][0].next_functions[0][0].next_functions[0][0]
    return names(y.grad_fn), accumulator.variable is x, isinstance(y.grad_fn, t.autograd.graph.Node)


@case
def saved_attributes(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    z = x.exp()
    first = y.grad_fn._saved_self is x, z.grad_fn._saved_result
    y.sum().backward()
    return first, attempt(lambda: y.grad_fn._saved_self)


@case
def metadata(t):
    y = t.ones(2, requires_grad=True) * 2
    y.grad_fn.metadata["a"] = 1
    return y.grad_fn.metadata


@case
def saved_tensor_hooks(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    seen = []

    def pack(value):
        seen.append(("pack", value.tolist()))
        return value.tolist()

    def unpack(value):
        seen.append(("unpack", value))
        return t.tensor(value)

    with t.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x * x).exp()
    y.sum().backward()
    return seen, x.grad


@case
def saved_tensor_hooks_disabled(t):
    def use():
        with t.autograd.graph.saved_tensors_hooks(lambda v: v, lambda v: v):
            return 1

    with t.autograd.graph.disable_saved_tensors_hooks("not here"):
        return attempt(use)


@case
def saved_on_cpu(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    with t.autograd.graph.save_on_cpu():
        y = (x * x).sum()
    y.backward()
    return x.grad


@case
def mutated_after_saving(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    with t.autograd.graph.allow_mutation_on_saved_tensors():
        y = x.clone()
        z = (y**2).sum()
        y.zero_()
        z.backward()
    return x.grad


@case
def anomaly(t):
    x = t.tensor([0.0], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with t.autograd.detect_anomaly():
            y = (x.sqrt() * 0).sum()
            found = attempt(lambda: y.backward())
        with t.autograd.detect_anomaly(check_nan=False):
            fine = attempt(lambda: (x.sqrt() * 0).sum().backward())
    return found, fine, t.is_anomaly_enabled()


@case
def node_names(t):
    x = t.ones(2, 2, requires_grad=True)
    made = [
        x + 1, x * 2, x - x, x / 2, x**2, x.exp(), x.sum(), x.sum(0), x.mean(), x @ x, x.t(), x.view(4), x.reshape(4), x[0],
        x[0:1], x.relu(), x.sigmoid(), x.tanh(), x.clone(), x.max(), x.max(0)[0], -x, x.softmax(0), x.log_softmax(0),
        t.cat([x, x]), t.stack([x, x]), x.unsqueeze(0), x.squeeze(), x.expand(3, 2, 2), x.permute(1, 0), x.sqrt(), x.abs(),
        x.to(t.float64), x.masked_fill(x > 0, 1), t.where(x > 0, x, x), x[t.tensor([0])], x.cumsum(0), x.std(), x.var(0), x.norm(),
    ]  # fmt: skip
    return [each.grad_fn.name() for each in made]


# -- Functions ------------------------------------------------------------------------------------------------------------


@case
def custom_function(t):
    class Scale(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor, name=None):
            ctx.factor = factor
            ctx.save_for_backward(x)
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * ctx.factor + 0 * x, None, None

    x = t.ones(2, requires_grad=True)
    y = Scale.apply(x, 3.0, "a")
    y.sum().backward()
    return x.grad, y.grad_fn.name(), type(y.grad_fn).__name__, attempt(lambda: Scale()(x))


@case
def custom_function_setup_context(t):
    class Product(t.autograd.Function):
        @staticmethod
        def forward(x, y):
            return x * y, x + y

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)
            ctx.set_materialize_grads(False)

        @staticmethod
        def backward(ctx, first, second):
            x, y = ctx.saved_tensors
            return (first * y if first is not None else None), (first * x if first is not None else None)

    x, y = t.ones(2, requires_grad=True), t.ones(2) * 2
    a, b = Product.apply(x, y)
    a.sum().backward(retain_graph=True)
    b.sum().backward()
    return x.grad, b.requires_grad


@case
def custom_function_twice(t):
    class Cube(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * grad

    x = t.tensor([2.0], requires_grad=True)
    (g,) = t.autograd.grad(Cube.apply(x), x, create_graph=True)
    (h,) = t.autograd.grad(g, x)
    return g, h


@case
def custom_function_once(t):
    class Cube(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @t.autograd.function.once_differentiable
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * grad

    x = t.tensor([2.0], requires_grad=True)
    (g,) = t.autograd.grad(Cube.apply(x), x, create_graph=True)
    return g, attempt(lambda: t.autograd.grad(g, x))


@case
def custom_function_dirty(t):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            x.mul_(2)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = t.ones(2, requires_grad=True)
    y = x * 1
    z = Double.apply(y)
    z.sum().backward()
    return x.grad, z is y, y, attempt(lambda: Double.apply(x))


@case
def custom_function_non_differentiable(t):
    class Sort(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            index = x > 0
            other = x * 2
            ctx.mark_non_differentiable(index, other)
            return x * 3, index, other

        @staticmethod
        def backward(ctx, grad, *rest):
            return grad * 3

    x = t.ones(2, requires_grad=True)
    a, b, c = Sort.apply(x)
    a.sum().backward()
    return x.grad, b.requires_grad, c.requires_grad


@case
def custom_function_materialize(t):
    seen = []

    class Two(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            seen.append(b.tolist())
            return a + b

    x = t.ones(2, requires_grad=True)
    Two.apply(x)[0].sum().backward()
    return seen, x.grad


@case
def custom_function_errors(t):
    class Wrong(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, grad):
            return grad

    class Shape(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad[:1].expand(5)

    class Missing(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    x = t.ones(2, requires_grad=True)
    return (
        attempt(lambda: Wrong.apply(x, x).sum().backward()),
        attempt(lambda: Shape.apply(x).sum().backward())[0],
        attempt(lambda: Missing.apply(x).sum().backward()),
    )


@case
def custom_function_needs(t):
    seen = []

    class Sum(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, k, y):
            return x + y

        @staticmethod
        def backward(ctx, grad):
            seen.append(tuple(ctx.needs_input_grad))
            return grad, None, grad

    x, y = t.ones(2, requires_grad=True), t.ones(2)
    Sum.apply(x, 1, y).sum().backward()
    return seen


@case
def custom_function_returns_its_input(t):
    class Same(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 5

    x = t.ones(2, requires_grad=True)
    y = Same.apply(x)
    y.sum().backward()
    return x.grad, y is x, y.requires_grad


@case
def custom_function_freed(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            return 2 * ctx.saved_tensors[0] * grad

    x = t.ones(2, requires_grad=True)
    y = Square.apply(x).sum()
    y.backward()
    return attempt(y.backward)


@case
def custom_function_without_grad(t):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = t.ones(2, requires_grad=True)
    with t.no_grad():
        y = Double.apply(x)
    return y.requires_grad, Double.apply(t.ones(2)).requires_grad


@case
def function_in_place_saved(t):
    class Exp(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0]

    x = t.ones(2, requires_grad=True)
    y = Exp.apply(x)
    z = y * 2
    z.sum().backward(retain_graph=True)
    y.add_(1)
    return [[round(v, 4) for v in x.grad.tolist()]], attempt(lambda: z.sum().backward())


@case
def complex_gradients(t):
    z = t.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    (z.abs() ** 2).sum().backward()
    first = z.grad
    w = t.tensor([1.0, 2.0], requires_grad=True)
    (w * z.detach()).abs().sum().backward()
    return [complex(round(v.real, 4), round(v.imag, 4)) for v in first.tolist()], [round(v, 4) for v in w.grad.tolist()]


@case
def checkpointed_names(t):
    x = t.ones(2, requires_grad=True)
    return (x * 2).grad_fn.next_functions[0][0].name(), (x * 2).requires_grad, repr(x * 2)


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = plain(CASES[name](torch))
        mine = plain(CASES[name](flambeau))
    assert mine == theirs
