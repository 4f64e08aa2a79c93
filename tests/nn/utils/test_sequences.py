"""Padded and packed batches of sequences, as PyTorch makes them."""

import pytest

import flambeau
from flambeau.nn.utils import rnn


def padded(lib):
    return lib.arange(12.0).view(4, 3)


def packed(lib, **options):
    return lib.nn.utils.rnn.pack_padded_sequence(padded(lib), [1, 2, 4], enforce_sorted=False, **options)


def lengths(lib, *values, **options):
    return lib.tensor(values, **options)


PACK = {
    "sorted": lambda lib, r: r.pack_padded_sequence(padded(lib), [4, 2, 1]),
    "batch first": lambda lib, r: r.pack_padded_sequence(padded(lib).t(), [4, 2, 1], batch_first=True),
    "features": lambda lib, r: r.pack_padded_sequence(padded(lib)[..., None], [4, 2, 1]).data.shape,
    "unsorted": lambda lib, r: packed(lib),
    "ties": lambda lib, r: r.pack_padded_sequence(padded(lib), [2, 4, 2], enforce_sorted=False),
    "tensor of lengths": lambda lib, r: r.pack_padded_sequence(padded(lib), lengths(lib, 4, 2, 1, dtype=lib.int32)),
    "float lengths": lambda lib, r: r.pack_padded_sequence(padded(lib), lengths(lib, 4.0, 2.0, 1.0)),
    "not sorted": lambda lib, r: r.pack_padded_sequence(padded(lib), [1, 2, 4]),
    "empty sequence": lambda lib, r: r.pack_padded_sequence(padded(lib), [4, 2, 0]),
    "too few lengths": lambda lib, r: r.pack_padded_sequence(padded(lib), [4, 2]),
    "two-dimensional lengths": lambda lib, r: r.pack_padded_sequence(padded(lib), lengths(lib, [4, 2, 1])),
    "no rows": lambda lib, r: r.pack_padded_sequence(lib.ones(0, 3), [4, 2, 1]),
    "text": lambda lib, r: r.pack_padded_sequence("a", [1]),
    "pad": lambda lib, r: r.pad_packed_sequence(packed(lib)),
    "pad wider": lambda lib, r: r.pad_packed_sequence(packed(lib), True, -1.0, 6),
    "pad too narrow": lambda lib, r: r.pad_packed_sequence(packed(lib), total_length=2),
    "by hand": lambda lib, r: r.PackedSequence(lib.ones(2), lib.tensor([1, 1]), lib.tensor([1, 0])),
    "by hand from a pair": lambda lib, r: r.PackedSequence((lib.ones(2), lib.tensor([1, 1]))),
    "by hand without sizes": lambda lib, r: r.PackedSequence(lib.ones(2)),
    "converted": lambda lib, r: (packed(lib).to(lib.float64), packed(lib).long().data.dtype),
    "is a tuple": lambda lib, r: (len(packed(lib)), isinstance(packed(lib), tuple), packed(lib).is_cuda),
    "pack_sequence": lambda lib, r: r.pack_sequence([lib.ones(3), lib.ones(2)]),
    "pack_sequence unsorted": lambda lib, r: r.pack_sequence([lib.ones(2), lib.ones(3) * 2], False),
    "pack_sequence not sorted": lambda lib, r: r.pack_sequence([lib.ones(2), lib.ones(3)]),
    "unpack_sequence": lambda lib, r: r.unpack_sequence(r.pack_sequence([lib.ones(2), lib.ones(3) * 2], False)),
    "invert_permutation": lambda lib, r: (r.invert_permutation(lib.tensor([2, 0, 1])), r.invert_permutation(None)),
    "pad_sequence": lambda lib, r: r.pad_sequence([lib.ones(2), lib.ones(3) * 2]),
    "pad_sequence left": lambda lib, r: r.pad_sequence([lib.ones(2), lib.ones(3) * 2], True, 9.0, "left"),
    "pad_sequence elsewhere": lambda lib, r: r.pad_sequence([lib.ones(2), lib.ones(3)], True, 9.0, "x"),
    "pad_sequence of a tensor": lambda lib, r: r.pad_sequence(lib.ones(2, 3)),
    "pad_sequence of a generator": lambda lib, r: r.pad_sequence(lib.ones(2) for _ in range(2)),
    "pad_sequence of int": lambda lib, r: r.pad_sequence(3),
    "pad_sequence of nothing": lambda lib, r: r.pad_sequence([]),
    "pad_sequence of ints": lambda lib, r: r.pad_sequence([1, 2]),
    "unpad_sequence": lambda lib, r: r.unpad_sequence(r.pad_sequence([lib.ones(2), lib.ones(3)]), lib.tensor([2, 3])),
}


@pytest.mark.parity
@pytest.mark.parametrize("case", PACK)
def test_sequences(agree, case):
    agree(lambda lib: PACK[case](lib, lib.nn.utils.rnn))


def test_mismatched_features_are_named():
    with pytest.raises(RuntimeError, match=r"size of tensor a \(3\).*tensor b \(4\).*dimension 1"):
        rnn.pad_sequence([flambeau.ones(2, 3), flambeau.ones(2, 4)])


def test_lengths_beyond_the_padding_are_refused():
    with pytest.raises(RuntimeError, match="4 time steps"):
        rnn.pack_padded_sequence(padded(flambeau), [5, 2, 1])


def test_gradients_pass_through_packing():
    x = flambeau.ones(4, 3, requires_grad=True)
    packed_batch = rnn.pack_padded_sequence(x, [1, 2, 4], enforce_sorted=False)
    again, _ = rnn.pad_packed_sequence(packed_batch)
    (again * flambeau.arange(12.0).view(4, 3)).sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0, 2.0], [0.0, 4.0, 5.0], [0.0, 0.0, 8.0], [0.0, 0.0, 11.0]]


def test_gradients_pass_through_padding():
    sequences = [flambeau.ones(2, requires_grad=True), flambeau.ones(3, requires_grad=True)]
    (rnn.pad_sequence(sequences) * 2).sum().backward()
    assert [s.grad.tolist() for s in sequences] == [[2.0] * 2, [2.0] * 3]
