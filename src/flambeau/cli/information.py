"""``flambeau info``: what is in a checkpoint, from its directory and its pickle, which is read but never obeyed."""

from __future__ import annotations

import json
import mmap
import pickle
import sys
from argparse import Namespace
from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from ..serialization.allowlist import WeightsOnly
from ..serialization.archive import ArchiveReader, looks_like_archive
from ..serialization.safetensors import DTYPES
from ..serialization.saving import MAGIC_NUMBER
from ..serialization.unpickler import SafeUnpickler
from .commands import CommandError
from .descriptions import Describing, Made, Named, Storage, Tensor

#: How many lines of structure are shown without ``--all``.
LINES = 100
_DEEPEST = 20
_LARGEST_HEADER = 100_000_000


class Found(NamedTuple):
    """What a file turned out to be."""

    kind: str
    content: Any
    tensors: list[Tensor]
    storages: list[Storage]
    mentioned: list[str]


def main(chosen: Namespace) -> int:
    """Describe each of the files; 1 when one cannot be."""
    code = 0
    for number, path in enumerate(chosen.files):
        if number:
            print()
        try:
            found = describe(path)
        except CommandError as error:
            print(f"flambeau: {error}", file=sys.stderr)
            code = error.code
            continue
        for line in report(path, found, None if chosen.all else LINES):
            print(line)
    return code


def describe(path: str) -> Found:
    """What is in a file.

    Raises:
        CommandError: it cannot be read, is damaged, or is of no kind we know.
    """
    try:
        with open(path, "rb") as file:
            beginning = file.read(16)
            if not beginning:
                raise CommandError("the file is empty")
            if looks_like_archive(beginning):
                return _archive(ArchiveReader(file))
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            length = _header_size(beginning, len(content))
            return _safetensors(content, length) if length else _stream(content)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from None
    except (CommandError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise CommandError(f"{path}: {error}") from None


def _archive(reader: ArchiveReader) -> Found:
    if "constants.pkl" in reader:
        sizes = [reader.size(name) for name in reader.names()]
        return Found(f"a TorchScript program of {len(sizes)} records; save its state_dict() with torch.save", None, [], [], [])
    order = bytes(reader.read("byteorder", 16)).decode("ascii", "replace") if "byteorder" in reader else "little"
    allowance = Describing()
    what = SafeUnpickler(reader.read("data.pkl"), allowance).load()
    return _told(f"a checkpoint of torch.save ({order}-endian)", what, allowance)


def _stream(content: Any) -> Found:
    allowance = Describing()
    position, part = 0, None
    # A magic number, a version, facts about the machine, and what was saved.
    for number in range(4):
        machine = SafeUnpickler(memoryview(content), allowance, position=position)
        try:
            part = machine.load()
        except pickle.UnpicklingError:
            if number:
                raise
        if not number and part != MAGIC_NUMBER:
            raise CommandError("no checkpoint: neither what torch.save writes nor safetensors")
        position = machine.position
    return _told("a checkpoint of torch.save, in the format from before 1.6", part, allowance)


def _told(kind: str, content: Any, allowance: Describing) -> Found:
    return Found(kind, content, allowance.tensors, list(allowance.storages.values()), list(allowance.mentioned))


def _header_size(beginning: bytes, size: int) -> int:
    """How long the header of a safetensors file is; 0 when it is none."""
    length = int.from_bytes(beginning[:8], "little")
    return length if beginning[8:9] == b"{" and 2 <= length <= min(size - 8, _LARGEST_HEADER) else 0




def _safetensors(content: Any, length: int) -> Found:
    header = json.loads(content[8 : 8 + length])
    about = header.pop("__metadata__", None)
    told: dict[str, Any] = {} if about is None else {"(metadata)": about}
    tensors, storages = [], []
    for name, each in header.items():
        first, last = each["data_offsets"]
        storage = Storage(name, "cpu", last - first)
        tensors.append(Tensor(DTYPES.get(each["dtype"], each["dtype"]), tuple(each["shape"]), storage))
        storages.append(storage)
        told[name] = tensors[-1]
    return Found("a safetensors file", told, tensors, storages, [])


# -- telling -----------------------------------------------------------------------------------------------------------


def report(path: str, found: Found, most: int | None) -> Iterator[str]:
    """The lines about a file, at most ``most`` of them about its structure."""
    yield f"{path}: {found.kind}"
    if found.content is not None:
        lines = _Structure(brief=most is not None).lines(found.content, "", 0)
        shown = 0
        for line in lines:
            if most is not None and shown == most:
                yield "  … and more: --all shows everything"
                break
            shown += 1
            yield f"  {line}"
    if found.tensors:
        numbers = sum(prod(each.shape) for each in found.tensors)
        size = sum(each.nbytes for each in found.storages)
        places = sorted({each.location for each in found.storages})
        plural = "s" if len(found.tensors) != 1 else ""
        where = f", saved on {', '.join(map(_printable, places))}" if places else ""
        yield f"{len(found.tensors)} tensor{plural}, {numbers:,} numbers, {_size(size)}{where}"
    if found.kind.startswith("a checkpoint"):
        refused = [each for each in found.mentioned if not _allowed(each)]
        if refused:
            yield f"It names what loading does not allow by itself: {', '.join(map(_printable, refused))}"
            yield "It loads with weights_only=False, which runs the code it names: only if you trust where it comes from."
        else:
            yield "It loads as it is (weights_only=True): nothing in it needs to be trusted."


def _allowed(name: str) -> bool:
    module, _, last = name.rpartition(".")
    try:
        WeightsOnly(lambda identity: None).find(module, last)
    except pickle.UnpicklingError:
        return False
    return True


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def _printable(value: Any) -> str:
    """A key or name as it is, unless it would do something to the terminal."""
    text = value if isinstance(value, str) else repr(value) if _is_plain(value) else type(value).__name__
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= 200 else text[:199] + "…"


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | complex | str | bytes)


class _Structure:
    """Lines about nested containers. What was shown once is not shown again: a small file may nest without end.

    Args:
        brief: leave out what is empty or None in objects, and the version numbers of state dictionaries.
    """

    def __init__(self, brief: bool) -> None:
        self._brief = brief
        self._seen: set[int] = set()

    def lines(self, value: Any, lead: str, depth: int) -> Iterator[str]:
        start = "  " * depth + lead
        if isinstance(value, Tensor):
            yield start + _tensor(value)
            return
        items = self._items(value)
        if items is None:
            yield start + _short(value)
            return
        if not isinstance(value, dict) and items and all(_is_plain(each) for _, each in items):
            shown = ", ".join(_short(each) for _, each in items[:8])
            yield f"{start}{type(value).__name__} of {len(items)}: {shown}{', …' if len(items) > 8 else ''}"
            return
        if id(value) in self._seen or depth > _DEEPEST:
            yield f"{start}{_kind(value)}, {'shown above' if depth <= _DEEPEST else 'and deeper'}"
            return
        self._seen.add(id(value))
        yield start + _kind(value) + ("" if isinstance(value, Made) and value.is_object else f" of {len(items)}")
        tensors = [f"{_printable(name)}: " for name, each in items if isinstance(each, Tensor)]
        width = min(max(map(len, tensors), default=0), 50)
        for name, each in items:
            text = f"{_printable(name)}: "
            yield from self.lines(each, text.ljust(width) if isinstance(each, Tensor) else text, depth + 1)

    def _items(self, value: Any) -> list[tuple[Any, Any]] | None:
        """The named parts of a container or object; None for what has none."""
        if isinstance(value, Made):
            state: dict[Any, Any] = value.state if isinstance(value.state, dict) else {}
            if self._brief:
                state = {name: each for name, each in state.items() if name != "_metadata" and not _is_empty(each)}
            arguments = [(f"argument {number}", each) for number, each in enumerate(value.arguments)]
            return [*value.items(), *state.items(), *arguments]
        if isinstance(value, dict):
            return list(value.items())
        if isinstance(value, list | tuple | set | frozenset):
            return None if value and isinstance(next(iter(value)), Storage) else list(enumerate(value))
        return None


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, dict | list | tuple | set) and not value and not isinstance(value, Made)) or (
        isinstance(value, Made) and not value.is_object and not value
    )


def _kind(value: Any) -> str:
    if not isinstance(value, Made):
        return type(value).__name__
    return f"what {_printable(value.name)} returns" if value.is_call else _printable(value.name)


def _tensor(value: Tensor) -> str:
    shape = "×".join(map(str, value.shape)) or "a single number"
    return f"{value.dtype:<8} {shape}{' (parameter)' if value.parameter else ''}"


def _short(value: Any) -> str:
    if isinstance(value, Named):
        return _printable(value.name)
    if isinstance(value, tuple) and value and isinstance(value[0], Storage):
        return f"storage of {_size(value[0].nbytes)}"
    text = repr(value) if _is_plain(value) else str(getattr(value, "name", type(value).__name__))
    return text if len(text) <= 120 else f"{text[:119]}…"
