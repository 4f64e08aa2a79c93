"""Batches of sequences of different lengths: padded to one length, or packed without padding.

A packed batch holds, for each time step, one row for every sequence that is still running, the longest first. With
sequences a b c, d e and f: the rows are a d f, b e, c and the batch sizes 3, 2, 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

from ... import operators
from ...core.dtypes import int64
from ...tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence_(NamedTuple):
    """The fields of a :class:`PackedSequence`."""

    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(PackedSequence_):
    """A packed batch: ``data`` (rows, *), ``batch_sizes`` (one for each time step, int64 on the CPU), and the
    permutations that sort the sequences by falling length and undo it (``None``: they were sorted).

    Made by :func:`pack_padded_sequence` and :func:`pack_sequence`; recurrent layers take and return it.
    """

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> Any:
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. "
                "They should be instantiated by functions like pack_sequence and pack_padded_sequences in "
                "nn.utils.rnn. https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with(self, data: Any) -> PackedSequence:
        if data is self.data:
            return self

        def beside(indices: Any) -> Any:
            return None if indices is None else indices.to(data.device)

        return type(self)(data, self.batch_sizes, beside(self.sorted_indices), beside(self.unsorted_indices))

    def pin_memory(self) -> PackedSequence:
        """The same with ``data`` in page-locked memory."""
        return self._with(self.data.pin_memory())

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Convert ``data`` as ``Tensor.to`` does; itself when nothing changes."""
        return self._with(self.data.to(*args, **kwargs))

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Move to a CUDA device."""
        return self._with(self.data.cuda(*args, **kwargs))

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Move to the CPU."""
        return self._with(self.data.cpu(*args, **kwargs))

    def double(self) -> PackedSequence:
        """Convert ``data`` to float64."""
        return self._with(self.data.double())

    def float(self) -> PackedSequence:
        """Convert ``data`` to float32."""
        return self._with(self.data.float())

    def half(self) -> PackedSequence:
        """Convert ``data`` to float16."""
        return self._with(self.data.half())

    def long(self) -> PackedSequence:
        """Convert ``data`` to int64."""
        return self._with(self.data.long())

    def int(self) -> PackedSequence:
        """Convert ``data`` to int32."""
        return self._with(self.data.int())

    def short(self) -> PackedSequence:
        """Convert ``data`` to int16."""
        return self._with(self.data.short())

    def char(self) -> PackedSequence:
        """Convert ``data`` to int8."""
        return self._with(self.data.char())

    def byte(self) -> PackedSequence:
        """Convert ``data`` to uint8."""
        return self._with(self.data.byte())

    @property
    def is_cuda(self) -> bool:
        """Whether ``data`` is on a CUDA device."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether ``data`` is in page-locked memory."""
        return self.data.is_pinned()


def invert_permutation(permutation: Any) -> Any:
    """The permutation that undoes ``permutation``; ``None`` for ``None``."""
    if permutation is None:
        return None
    positions = operators.arange(0, permutation.numel(), device=permutation.device)
    return operators.empty_like(permutation).scatter_(0, permutation, positions)


def _rows(batch_sizes: list[int], order: list[int], batch: int, length: int, batch_first: bool) -> Any:
    """For each packed row, its place among the rows of the padded batch, flattened."""
    if batch_first:
        rows = [order[column] * length + time for time, size in enumerate(batch_sizes) for column in range(size)]
    else:
        rows = [time * batch + order[column] for time, size in enumerate(batch_sizes) for column in range(size)]
    return operators.tensor(rows, dtype=int64)


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded batch ``input`` (T, B, *), or (B, T, *) with ``batch_first``.

    Sequences must come by falling length unless ``enforce_sorted=False``.

    Raises:
        RuntimeError: lengths that are not sorted, not positive, or not one for each sequence.

    >>> import flambeau as torch
    >>> torch.nn.utils.rnn.pack_padded_sequence(torch.tensor([[1, 2], [3, 0]]), [2, 1]).data
    tensor([1, 2, 3])
    """
    if not isinstance(input, Tensor):
        raise TypeError(
            f"_pack_padded_sequence(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    lengths = lengths.to(int64) if isinstance(lengths, Tensor) else operators.tensor(lengths).long()
    if lengths.dim() != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D "
            f"{lengths.device.type} Long tensor"
        )
    if input.dim() < 2:
        raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got 1)")
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    batch, padded_length = (input.size(0), input.size(1)) if batch_first else (input.size(1), input.size(0))
    counts = lengths.tolist()
    if len(counts) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size={batch})"
        )
    if any(count <= 0 for count in counts):
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    order = list(range(batch))
    sorted_indices = None
    if enforce_sorted:
        if any(later > earlier for earlier, later in itertools.pairwise(counts)):
            raise RuntimeError(
                "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
                "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if "
                "you do not need ONNX exportability."
            )
    else:
        order.sort(key=lambda index: -counts[index])
        sorted_indices = operators.tensor(order, dtype=int64, device=input.device)
    if max(counts) > padded_length:
        raise RuntimeError(
            f"Expected no length to exceed the {padded_length} time steps of input of shape {tuple(input.shape)}, "
            f"but got {max(counts)}. Pad the input further or correct 'lengths'."
        )
    batch_sizes = [sum(count > time for count in counts) for time in range(max(counts))]
    rows = _rows(batch_sizes, order, batch, padded_length, batch_first).to(input.device)
    data = input.reshape(batch * padded_length, *input.shape[2:]).index_select(0, rows)
    return PackedSequence(data, operators.tensor(batch_sizes, dtype=int64), sorted_indices, None)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Any, Any]:
    """Undo :func:`pack_padded_sequence`: the padded batch, in its first order, and the lengths.

    Raises:
        ValueError: ``total_length`` is less than the longest sequence.
    """
    data, sizes = sequence.data, sequence.batch_sizes.tolist()
    longest, batch = len(sizes), int(sizes[0])
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {longest}"
        )
    length = longest if total_length is None else total_length
    counts = [sum(size > column for size in sizes) for column in range(batch)]
    order = list(range(batch)) if sequence.sorted_indices is None else sequence.sorted_indices.tolist()
    rows = _rows(sizes, order, batch, length, batch_first).to(data.device)
    shape = (batch, length) if batch_first else (length, batch)
    padded = data.new_full((batch * length, *data.shape[1:]), padding_value).index_copy(0, rows, data)
    lengths = [0] * batch
    for column, index in enumerate(order):
        lengths[index] = counts[column]
    return padded.reshape(*shape, *data.shape[1:]), operators.tensor(lengths, dtype=int64)


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Stack sequences (L, *) of different lengths, padded to the longest: (T, B, *), or (B, T, *).

    >>> import flambeau as torch
    >>> torch.nn.utils.rnn.pad_sequence([torch.ones(1), torch.ones(2)], batch_first=True)
    tensor([[1., 0.],
            [1., 1.]])
    """
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    elif not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    sequences = tuple(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    for index, sequence in enumerate(sequences):
        if not isinstance(sequence, Tensor):
            raise TypeError(f"expected Tensor as element {index} in argument 0, but got {type(sequence).__name__}")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    first = sequences[0]
    if first.dim() == 0:
        raise RuntimeError("pad_sequence: expected sequences of at least one dimension, but got a 0-dim tensor")
    length = max(sequence.size(0) for sequence in sequences)

    def padded(sequence: Any) -> Any:
        missing = length - sequence.size(0)
        sequence = sequence.to(first.dtype)
        if missing == 0:
            return sequence
        padding = sequence.new_full((missing, *first.shape[1:]), padding_value)
        return operators.cat([padding, sequence] if padding_side == "left" else [sequence, padding])

    for sequence in sequences[1:]:
        _same_trailing(first, sequence)
    return operators.stack([padded(sequence) for sequence in sequences], dim=0 if batch_first else 1)


def _same_trailing(first: Any, other: Any) -> None:
    expected, got = tuple(first.shape[1:]), tuple(other.shape[1:])
    if expected != got:
        for dim, (left, right) in enumerate(zip(expected, got)):
            if left != right:
                raise RuntimeError(
                    f"The size of tensor a ({left}) must match the size of tensor b ({right}) at non-singleton "
                    f"dimension {dim + 1}: pad_sequence needs sequences that differ only in their first dimension"
                )
        raise RuntimeError(
            "pad_sequence: expected sequences that differ only in their first dimension, but got shapes "
            f"{tuple(first.shape)} and {tuple(other.shape)}"
        )


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """Undo :func:`pad_sequence` (padded on the right): the sequences, each with its own length."""
    sequences = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    counts = lengths.tolist() if isinstance(lengths, Tensor) else lengths
    return [sequence[:count] for sequence, count in zip(sequences.unbind(0), counts)]


def pack_sequence(sequences: list[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L, *) of different lengths.

    >>> import flambeau as torch
    >>> torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = [sequence.size(0) for sequence in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """Undo :func:`pack_sequence`."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
