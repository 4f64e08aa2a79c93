"""Hooks around ``forward`` and around its gradient, in PyTorch's order and with its errors."""

import pytest

import flambeau
from flambeau import nn


def affine(lib):
    layer = lib.nn.Linear(2, 2)
    with lib.no_grad():
        layer.weight.copy_(lib.ones(2, 2))
        layer.bias.copy_(lib.zeros(2))
    return layer


def returning(lib, forward):
    return type("Returning", (lib.nn.Module,), {"forward": lambda self, *args: forward(*args)})()


def _order(lib):
    from importlib import import_module

    module = import_module(f"{lib.__name__}.nn.modules.module")
    log = []
    layer = affine(lib)
    handles = [
        module.register_module_forward_pre_hook(lambda *args: log.append("global pre")),
        module.register_module_forward_hook(lambda *args: log.append("global")),
        module.register_module_full_backward_pre_hook(lambda *args: log.append("global backward pre")),
        module.register_module_full_backward_hook(lambda *args: log.append("global backward")),
        layer.register_forward_pre_hook(lambda *args: log.append("pre")),
        layer.register_forward_pre_hook(lambda *args: log.append("pre first"), prepend=True),
        layer.register_forward_hook(lambda *args: log.append("after")),
        layer.register_forward_hook(lambda *args: log.append("after first"), prepend=True),
        layer.register_full_backward_pre_hook(lambda *args: log.append("backward pre")),
        layer.register_full_backward_pre_hook(lambda *args: log.append("backward pre first"), prepend=True),
        layer.register_full_backward_hook(lambda *args: log.append("backward")),
        layer.register_full_backward_hook(lambda *args: log.append("backward first"), prepend=True),
    ]
    try:
        layer(lib.ones(1, 2, requires_grad=True)).sum().backward()
    finally:
        for handle in handles:
            handle.remove()
        log.append("removed")
        layer(lib.ones(1, 2, requires_grad=True)).sum().backward()
    return log


def _with_keywords(lib):
    log = []
    layer = affine(lib)
    layer.register_forward_pre_hook(lambda m, args, kw: (args, {"input": kw["input"] * 2}), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, kw, out: log.append((args, kw, out.detach())), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, out: out.detach() + 1)
    return layer(input=lib.ones(1, 2)), log


def _always_called(lib):
    log = []
    layer = returning(lib, lambda x: x.nonsense)
    layer.register_forward_hook(lambda m, args, out: log.append(out), always_call=True)
    layer.register_forward_hook(lambda m, args, out: log.append("never"))

    def failing(m, args, out):
        raise ValueError("from the hook")

    layer.register_forward_hook(failing, always_call=True)
    try:
        layer(3)
    except Exception as error:
        log.append(f"{type(error).__name__}: {error}")
    return log


def _backward(lib, hook, forward=None, pre=False, requires_grad=True):
    """Gradients seen and made by a backward hook."""
    log = []
    layer = affine(lib) if forward is None else returning(lib, forward)
    register = layer.register_full_backward_pre_hook if pre else layer.register_full_backward_hook
    register(lambda module, *gradients: (log.append(gradients), hook(lib, *gradients))[1])
    x = lib.ones(1, 2, requires_grad=requires_grad)
    result = layer(x)
    while not isinstance(result, lib.Tensor):
        result = result[0]
    result.sum().backward()
    return log, x.grad, [parameter.grad for parameter in layer.parameters()]


CASES = {
    "order": _order,
    "keywords": _with_keywords,
    "always called": _always_called,
    "pre-hook returns one value": lambda lib: _changed(lib, lambda m, args: args[0] * 2),
    "pre-hook returns a tuple": lambda lib: _changed(lib, lambda m, args: (args[0] * 3,)),
    "keyword pre-hook returns nonsense": lambda lib: _changed(lib, lambda m, args, kw: 3, with_kwargs=True),
    "sees gradients": lambda lib: _backward(lib, lambda lib, *g: None),
    "changes grad_input": lambda lib: _backward(lib, lambda lib, inputs, outputs: (inputs[0] * 10,)),
    "changes grad_output": lambda lib: _backward(lib, lambda lib, outputs: (outputs[0] * 10,), pre=True),
    "returns an int": lambda lib: _backward(lib, lambda lib, *g: 3),
    "returns too many": lambda lib: _backward(lib, lambda lib, *g: (lib.ones(1, 2), lib.ones(1))),
    "pre-hook returns too many": lambda lib: _backward(lib, lambda lib, *g: (lib.ones(1), lib.ones(1)), pre=True),
    "pre-hook returns an int": lambda lib: _backward(lib, lambda lib, *g: 3, pre=True),
    "no input requires grad": lambda lib: _backward(lib, lambda lib, *g: None, requires_grad=False),
    "no input requires grad, returns": lambda lib: _backward(
        lib, lambda lib, *g: (lib.ones(1, 2),), requires_grad=False
    ),
    "tuple of outputs": lambda lib: _backward(lib, lambda lib, *g: None, lambda x: (x * 3, [x * 2, 3], 4)),
    "dictionary of outputs": lambda lib: _backward(lib, lambda lib, *g: None, lambda x: {0: x * 3}),
    "mixed kinds": lambda lib: (
        affine(lib).register_full_backward_hook(print) and _mixed(affine(lib))  # the second refuses
    ),
}


def _mixed(layer):
    layer.register_full_backward_hook(print)
    layer.register_backward_hook(print)


def _changed(lib, hook, **options):
    layer = affine(lib)
    layer.register_forward_pre_hook(hook, **options)
    return layer(lib.ones(1, 2)).detach()


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES)
def test_hooks(agree, case):
    agree(CASES[case])


def test_backward_hook_sees_integer_inputs_as_none():
    class Take(nn.Module):
        def forward(self, table, index):
            return table[index]

    seen = []
    layer = Take()
    layer.register_full_backward_hook(lambda module, inputs, outputs: seen.append(inputs))
    layer(flambeau.ones(3, requires_grad=True), flambeau.tensor([1])).sum().backward()
    assert seen[0][1] is None and seen[0][0].tolist() == [0.0, 1.0, 0.0]


def test_backward_hooks_under_create_graph():
    layer = nn.Linear(1, 1)
    layer.register_full_backward_hook(lambda module, inputs, outputs: (inputs[0] * 2,))
    x = flambeau.ones(1, 1, requires_grad=True)
    (gradient,) = flambeau.autograd.grad((layer(x) ** 2).sum(), x, create_graph=True)
    gradient.sum().backward()
    # y = (wx + b)², dy/dx = 2w(wx + b), doubled by the hook; its derivative 4w² is doubled by the hook again.
    assert x.grad.item() == pytest.approx(8 * layer.weight.item() ** 2, rel=1e-5)


def test_a_hook_may_remove_itself():
    layer = nn.Identity()

    def once(module, args):
        handle.remove()
        return args[0] + 1

    handle = layer.register_forward_pre_hook(once)
    assert [layer(1), layer(1)] == [2, 1]


def test_handle_is_a_context_manager():
    layer = nn.Identity()
    with layer.register_forward_hook(lambda module, args, output: output + 1):
        assert layer(1) == 2
    assert layer(1) == 1
