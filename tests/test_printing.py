"""Printing is PyTorch's, character for character."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import flambeau
from flambeau import printing
from flambeau.core import dtypes

torch = pytest.importorskip("torch")

DTYPES = (
    "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128 "
    "float8_e5m2 float8_e4m3fn"
).split()


@pytest.fixture(autouse=True)
def _default_options():
    yield
    torch.set_printoptions(profile="default")
    printing.set_printoptions(profile="default")


def numbers(rng, shape, kind, exponent):
    """Arrays of doubles of very different character."""
    values = rng.standard_normal(shape)
    if kind == "scaled":
        values = values * 10.0**exponent
    elif kind == "whole":
        values = np.round(values * 10.0 ** abs(exponent))
    elif kind == "spread":
        values = values * 10.0 ** rng.integers(-6, 6, shape)
    elif kind == "zeros":
        values = np.zeros(shape)
    elif kind == "special":
        values = np.where(rng.random(shape) < 0.6, values, rng.choice([np.nan, np.inf, -np.inf, -0.0, 0.0], shape))
    return np.asarray(values)


def tensor_of(name, rng, shape, kind, exponent):
    wanted = getattr(torch, name)
    if name == "bool":
        return torch.from_numpy(np.asarray(rng.integers(0, 2, shape).astype(bool)))
    if not wanted.is_floating_point and not wanted.is_complex:
        limits = torch.iinfo(wanted)
        high = min(limits.max, 10 ** (abs(exponent) + 1))
        low = max(limits.min, -high) if kind == "scaled" else 0
        return torch.from_numpy(np.asarray(rng.integers(low, high, shape))).to(wanted)
    values = torch.from_numpy(numbers(rng, shape, kind, exponent))
    if wanted.is_complex:
        values = torch.complex(values, torch.from_numpy(numbers(rng, shape, kind, -exponent)))
    return values.to(wanted)


def as_array(tensor):
    """The tensor's numbers as our dtypes hold them."""
    of = dtypes.by_name(str(tensor.dtype).removeprefix("torch."))
    if of.numpy.isbuiltin == 1:
        return tensor.numpy(), of
    return tensor.view({1: torch.uint8, 2: torch.int16}[of.itemsize]).numpy().view(of.numpy), of


def same_options(**options):
    torch.set_printoptions(**options)
    printing.set_printoptions(**options)
    assert printing.get_printoptions() == torch._tensor_str.get_printoptions()


option_sets = st.fixed_dictionaries(
    {"profile": st.sampled_from(["default", "short", "full"])},
    optional={
        "precision": st.integers(0, 12),
        "threshold": st.sampled_from([0, 5, 50]),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.sampled_from([20, 40, 120, 200]),
        "sci_mode": st.booleans(),
    },
)


@settings(max_examples=400, deadline=None)
@given(
    name=st.sampled_from(DTYPES),
    shape=st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 13]), max_size=4).map(tuple),
    kind=st.sampled_from(["plain", "scaled", "whole", "spread", "zeros", "special"]),
    exponent=st.integers(-12, 12),
    seed=st.integers(0, 2**32 - 1),
    options=option_sets,
)
def test_any_array_prints_as_in_pytorch(name, shape, kind, exponent, seed, options):
    if math.prod(shape) > 600:
        shape = shape[:2]
    tensor = tensor_of(name, np.random.default_rng(seed), shape, kind, exponent)
    same_options(**options)
    array, of = as_array(tensor)
    assert printing.tensor_text(array, of) == repr(tensor)


@pytest.mark.parametrize("shape", [(1200,), (2, 3, 400), (40, 40), (7, 1, 9, 30), (1001, 1), (6, 6, 6, 6)])
@pytest.mark.parametrize("name", ["float32", "int64", "complex64", "bool"])
def test_long_tensors_are_summarised(shape, name):
    tensor = tensor_of(name, np.random.default_rng(0), shape, "spread", 3)
    array, of = as_array(tensor)
    assert printing.tensor_text(array, of) == repr(tensor)


def test_only_shown_elements_are_read():
    array = np.broadcast_to(np.float32(1.5), (1 << 40, 1 << 20))  # reading all of it would take years
    assert "..., 1.5000, 1.5000, 1.5000]" in printing.tensor_text(array, dtypes.float32)


@pytest.mark.parametrize(
    "suffixes, text",
    [
        ({"requires_grad": True}, "tensor([1., 2.], requires_grad=True)"),
        ({"grad_fn": "AddBackward0", "requires_grad": True}, "tensor([1., 2.], grad_fn=<AddBackward0>)"),
        ({"device": "cuda:0"}, "tensor([1., 2.], device='cuda:0')"),
        ({"prefix": "Mine("}, "Mine([1., 2.])"),
        ({"contents": "hi"}, "tensor(hi)"),
    ],
)
def test_suffixes(suffixes, text):
    assert printing.tensor_text(np.array([1, 2], np.float32), dtypes.float32, **suffixes) == text


def test_suffixes_move_to_a_line_of_their_own():
    tensor = torch.rand(5, 6).requires_grad_().exp()
    text = printing.tensor_text(tensor.detach().numpy(), dtypes.float32, grad_fn="ExpBackward0", requires_grad=True)
    assert text == repr(tensor)
    subclass = type("Mine", (torch.Tensor,), {})
    wide = torch.ones(3, 30).as_subclass(subclass)
    assert printing.tensor_text(np.ones((3, 30), np.float32), dtypes.float32, prefix="Mine(") == repr(wide)


@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (4,), ()])
@pytest.mark.parametrize("name", ["float32", "float64", "int64"])
def test_meta_tensors_have_a_size_but_no_numbers(shape, name):
    tensor = torch.empty(shape, device="meta", dtype=getattr(torch, name))
    assert printing.tensor_text(None, dtypes.by_name(name), shape=shape, device="meta") == repr(tensor)


def test_the_default_dtype_is_not_named():
    for default in ("float64", "float32"):
        torch.set_default_dtype(getattr(torch, default))
        dtypes.set_default_dtype(dtypes.by_name(default))
        try:
            for name in ("float32", "float64", "complex64", "complex128", "int64", "int32", "bool"):
                for shape in ((2,), (0,), ()):
                    tensor = torch.ones(shape, dtype=getattr(torch, name))
                    assert printing.tensor_text(tensor.numpy(), dtypes.by_name(name)) == repr(tensor)
        finally:
            torch.set_default_dtype(torch.float32)
            dtypes.set_default_dtype(dtypes.float32)


def test_options_of_a_block_end_with_it():
    before = printing.get_printoptions()
    with pytest.raises(KeyError), printing.printoptions(precision=1, sci_mode=True):
        assert printing.array_text(np.array([0.25])) == "[2.5e-01]"
        raise KeyError
    assert printing.get_printoptions() == before


def test_an_infinite_line_is_one_line():
    with printing.printoptions(linewidth=math.inf):
        assert "\n" not in printing.array_text(np.arange(500))


def test_tensors_print_through_these_functions():
    cases = [[[1.0, 2.5], [3.0, -4.0]], [1, 2], True, 3.5, [1 + 2j], [], [[], []], [math.nan, 1e-9, 1e9]]
    for case in cases:
        assert repr(flambeau.tensor(case)) == repr(torch.tensor(case))
        assert str(flambeau.tensor(case)) == str(torch.tensor(case))
    leaf, reference = flambeau.tensor([1.0, 2.0], requires_grad=True), torch.tensor([1.0, 2.0], requires_grad=True)
    assert repr(leaf) == repr(reference)
    assert repr(leaf * 2) == repr(reference * 2)
    assert repr(leaf + leaf) == "tensor([2., 4.], grad_fn=<AddBackward0>)"


def test_parameters_and_subclasses_print_as_such():
    nn = pytest.importorskip("flambeau.nn")
    for data in ([1.0, 2.0], [[0.5] * 20] * 2):
        for requires_grad in (True, False):
            ours = nn.Parameter(flambeau.tensor(data), requires_grad=requires_grad)
            assert repr(ours) == repr(torch.nn.Parameter(torch.tensor(data), requires_grad=requires_grad))
    mine, theirs = type("Mine", (flambeau.Tensor,), {}), type("Mine", (torch.Tensor,), {})
    wide = [[1.0] * 30] * 3
    assert repr(flambeau.tensor(wide).as_subclass(mine)) == repr(torch.tensor(wide).as_subclass(theirs))
    assert flambeau.tensor([1.0]).__repr__(tensor_contents="hi") == "tensor(hi)"
    assert f"{flambeau.tensor(2.5):.2f} {flambeau.tensor([1])}" == f"{torch.tensor(2.5):.2f} {torch.tensor([1])}"


def test_classes_print_under_pytorchs_names() -> None:
    import flambeau

    class Own(flambeau.Tensor):
        pass

    x = flambeau.ones(1)
    assert f"{type(x)} {type(flambeau.nn.Parameter(x))}" == "<class 'torch.Tensor'> <class 'torch.nn.parameter.Parameter'>"
    assert repr(Own).endswith(".Own'>") and "'torch" not in repr(Own)
