"""A pickle machine that can only build data: the one behind ``load(weights_only=True)``.

Python's unpickler may be told which names it may import, but it still calls whatever it is handed, sets attributes on
classes and allocates what a length field says. This machine knows only opcodes that build plain values; every other
power is asked of an :class:`Allowance`: what a global means, what may be called, what may receive state. Lengths are
checked against the bytes that are there, and keys against hashing that would never end.

Opcodes: the comments of CPython's ``pickletools``; PEP 307, 3154, 574.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, Protocol


class Allowance(Protocol):
    """What a pickle may refer to."""

    def find(self, module: str, name: str) -> Any:
        """The object a global stands for; ``UnpicklingError`` when it is refused."""

    def call(self, function: Any, arguments: tuple[Any, ...]) -> Any:
        """The result of a call (opcode REDUCE)."""

    def create(self, kind: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """A bare instance of a class (opcodes NEWOBJ and NEWOBJ_EX)."""

    def restore(self, instance: Any, state: Any) -> None:
        """Give an instance its state (opcode BUILD)."""

    def persistent(self, identity: Any) -> Any:
        """What an identity from outside the pickle stands for (opcode BINPERSID)."""


_MAXIMUM_DEPTH, _MAXIMUM_PARTS = 32, 10_000
_PLAIN_KEYS = frozenset((str, int, float, bool, type(None), bytes, complex))


def check_key(key: Any) -> Any:
    """``key``, unless hashing it could recurse or run without end (tuples in tuples share their parts)."""
    if type(key) in _PLAIN_KEYS or not isinstance(key, tuple | frozenset):
        return key
    level, parts = [key], 0
    for _ in range(_MAXIMUM_DEPTH):
        level = [part for group in level for part in group if isinstance(part, tuple | frozenset)]
        parts += len(level)
        if not level:
            return key
        if parts > _MAXIMUM_PARTS:
            break
    raise UnpicklingError("a dictionary key or set member is nested too deeply")


class SafeUnpickler:
    """Reads one pickle from ``data``, starting at ``position``, with no more power than ``allowance`` grants.

    Afterwards ``position`` is where the pickle ended.

    Raises:
        pickle.UnpicklingError: the pickle is malformed, or wants something that is not allowed.
    """

    def __init__(
        self, data: bytes | memoryview, allowance: Allowance, encoding: str = "utf-8", position: int = 0
    ) -> None:
        self._data = memoryview(data).cast("B")
        self._allowance = allowance
        self._encoding = encoding
        self.position = position
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def load(self) -> Any:
        """The object the pickle describes."""
        data, handlers, began = self._data, _HANDLERS, self.position
        if began >= len(data):
            raise EOFError("Ran out of input: there is no pickle where one should begin")
        try:
            while True:
                opcode = data[self.position]
                self.position += 1
                handler = handlers[opcode]
                if handler is None:
                    if opcode == _STOP:
                        return self._finish()
                    raise UnpicklingError(f"Unsupported operand {opcode} ({_describe(opcode)})")
                handler(self)
        except (UnpicklingError, RuntimeError) as error:
            if isinstance(error, RecursionError):
                raise UnpicklingError("objects are nested too deeply") from None
            raise
        except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, struct.error, EOFError) as error:
            where = f"byte {self.position} of {len(data)}"
            raise UnpicklingError(
                f"the pickle is truncated or corrupt near {where} ({type(error).__name__}: {error})"
            ) from error

    def _finish(self) -> Any:
        if len(self._stack) != 1 or self._marks:
            raise UnpicklingError("the pickle ends with an unbalanced stack")
        return self._stack.pop()

    # Reading

    def _take(self, size: int) -> memoryview:
        end = self.position + size
        if size < 0 or end > len(self._data):
            raise UnpicklingError(
                f"the pickle is truncated or corrupt: {size} bytes wanted at byte {self.position} of {len(self._data)}"
            )
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def _number(self, layout: struct.Struct) -> Any:
        return layout.unpack(self._take(layout.size))[0]

    def _line(self) -> bytes:
        # Lines are short (names, numbers); look ahead in growing steps instead of copying the rest of the file.
        size = 256
        while True:
            ahead = bytes(self._data[self.position : self.position + size])
            end = ahead.find(b"\n")
            if end >= 0:
                self.position += end + 1
                return ahead[:end]
            if len(ahead) < size:
                raise UnpicklingError("the pickle is truncated or corrupt: a line does not end")
            size *= 4

    def _push(self, value: Any) -> None:
        # Not `self._stack.append(...)` where the argument pops a mark: that changes which list the stack is.
        self._stack.append(value)

    def _pop_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._marks.pop()
        return items

    # Values

    def _text(self, data: memoryview) -> str:
        return str(data, "utf-8", "surrogatepass")

    def _old_text(self, data: bytes | memoryview) -> Any:
        return bytes(data) if self._encoding == "bytes" else str(data, self._encoding)

    def _integer(self, data: memoryview) -> int:
        return int.from_bytes(data, "little", signed=True)

    def _int_line(self) -> None:
        line = self._line()
        self._stack.append({b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line))

    def _string_line(self) -> None:
        line = self._line()
        if len(line) < 2 or line[0] != line[-1] or line[0] not in b"\"'":
            raise UnpicklingError("the STRING opcode argument must be quoted")
        from codecs import escape_decode

        self._stack.append(self._old_text(escape_decode(line[1:-1])[0]))

    # Stack and memo

    def _mark(self) -> None:
        self._marks.append(self._stack)
        self._stack = []

    def _pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_mark()

    def _get(self, key: int) -> None:
        if key not in self._memo:
            raise UnpicklingError(f"memo value not found at index {key}")
        self._stack.append(self._memo[key])

    def _put(self, key: int) -> None:
        self._memo[key] = self._stack[-1]

    # Containers

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise UnpicklingError(f"Can only append to lists, but got {type(target)}")
        list.extend(target, items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise UnpicklingError(f"Can only set items of dictionaries, but got {type(target)}")
        if len(items) % 2:
            raise UnpicklingError("odd number of items for SETITEMS")
        for key, value in zip(items[::2], items[1::2]):
            target[check_key(key)] = value

    def _one_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_items([key, value])

    def _one_element(self) -> None:
        value = self._stack.pop()
        self._extend([value])

    def _add_items(self) -> None:
        items = self._pop_mark()
        target = self._stack[-1]
        if type(target) is not set:
            raise UnpicklingError(f"Can only add items to sets, but got {type(target)}")
        target.update(map(check_key, items))

    def _marked_dict(self) -> None:
        items = self._pop_mark()
        self._stack.append({})
        self._set_items(items)

    # Objects, all by leave of the allowance

    def _global(self) -> None:
        module, name = self._line().decode(), self._line().decode()
        self._stack.append(self._allowance.find(module, name))

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        if type(name) is not str or type(module) is not str:
            raise UnpicklingError("STACK_GLOBAL requires str")
        self._stack.append(self._allowance.find(module, name))

    def _reduce(self) -> None:
        arguments, function = self._stack.pop(), self._stack.pop()
        if not isinstance(arguments, tuple):
            raise UnpicklingError("arguments of a call must be a tuple")
        self._stack.append(self._allowance.call(function, arguments))

    def _new(self) -> None:
        arguments, kind = self._stack.pop(), self._stack.pop()
        if not isinstance(arguments, tuple):
            raise UnpicklingError("arguments of a new object must be a tuple")
        self._stack.append(self._allowance.create(kind, arguments, {}))

    def _new_with_keywords(self) -> None:
        keywords, arguments, kind = self._stack.pop(), self._stack.pop(), self._stack.pop()
        if not isinstance(arguments, tuple) or type(keywords) is not dict:
            raise UnpicklingError("arguments of a new object must be a tuple and a dictionary")
        self._stack.append(self._allowance.create(kind, arguments, keywords))

    def _build(self) -> None:
        state = self._stack.pop()
        self._allowance.restore(self._stack[-1], state)

    def _persistent(self) -> None:
        self._stack.append(self._allowance.persistent(self._stack.pop()))


_STOP = ord(".")
_Handler = Callable[[SafeUnpickler], Any]


def _constant(value: Any) -> _Handler:
    return lambda self: self._stack.append(value)


def _number(code: str) -> _Handler:
    packed = struct.Struct(code)
    return lambda self: self._stack.append(self._number(packed))


def _sized(code: str, make: Callable[[SafeUnpickler, memoryview], Any]) -> _Handler:
    packed = struct.Struct(code)
    return lambda self: self._stack.append(make(self, self._take(self._number(packed))))


def _tuple_of(count: int) -> _Handler:
    def build(self: SafeUnpickler) -> None:
        if len(self._stack) < count:
            raise UnpicklingError("unexpected end of stack")
        self._stack[-count:] = [tuple(self._stack[-count:])]

    return build


def _handlers() -> list[_Handler | None]:
    machine: Any = SafeUnpickler
    byte, word, double_word = struct.Struct("<B"), struct.Struct("<L"), struct.Struct("<Q")

    def protocol(self: SafeUnpickler) -> None:
        version = self._number(byte)
        if version > 5:
            raise UnpicklingError(f"unsupported pickle protocol: {version}")

    by_name: dict[str, _Handler] = {
        # frame
        "\x80": protocol,
        "\x95": lambda self: self._number(double_word),
        # constants and numbers
        "N": _constant(None),
        "\x88": _constant(True),
        "\x89": _constant(False),
        "J": _number("<i"),
        "K": _number("<B"),
        "M": _number("<H"),
        "G": _number(">d"),
        "\x8a": _sized("<B", machine._integer),
        "\x8b": _sized("<i", machine._integer),
        "I": machine._int_line,
        "L": lambda self: self._stack.append(int(self._line().rstrip(b"L"))),
        "F": lambda self: self._stack.append(float(self._line())),
        # text and bytes
        "X": _sized("<L", machine._text),
        "\x8c": _sized("<B", machine._text),
        "\x8d": _sized("<Q", machine._text),
        "V": lambda self: self._stack.append(str(self._line(), "raw-unicode-escape")),
        "S": machine._string_line,
        "T": _sized("<i", machine._old_text),
        "U": _sized("<B", machine._old_text),
        "B": _sized("<L", lambda self, data: bytes(data)),
        "C": _sized("<B", lambda self, data: bytes(data)),
        "\x8e": _sized("<Q", lambda self, data: bytes(data)),
        "\x96": _sized("<Q", lambda self, data: bytearray(data)),
        # containers
        ")": _constant(()),
        "]": lambda self: self._stack.append([]),
        "}": lambda self: self._stack.append({}),
        "\x8f": lambda self: self._stack.append(set()),
        "\x85": _tuple_of(1),
        "\x86": _tuple_of(2),
        "\x87": _tuple_of(3),
        "t": lambda self: self._push(tuple(self._pop_mark())),
        "l": lambda self: self._push(self._pop_mark()),
        "d": machine._marked_dict,
        "\x91": lambda self: self._push(frozenset(map(check_key, self._pop_mark()))),
        "a": machine._one_element,
        "e": lambda self: self._extend(self._pop_mark()),
        "s": machine._one_item,
        "u": lambda self: self._set_items(self._pop_mark()),
        "\x90": machine._add_items,
        # stack and memo
        "(": machine._mark,
        "0": machine._pop,
        "1": lambda self: self._pop_mark(),
        "2": lambda self: self._stack.append(self._stack[-1]),
        "g": lambda self: self._get(int(self._line())),
        "h": lambda self: self._get(self._number(byte)),
        "j": lambda self: self._get(self._number(word)),
        "p": lambda self: self._put(int(self._line())),
        "q": lambda self: self._put(self._number(byte)),
        "r": lambda self: self._put(self._number(word)),
        "\x94": lambda self: self._put(len(self._memo)),
        # objects
        "c": machine._global,
        "\x93": machine._stack_global,
        "R": machine._reduce,
        "\x81": machine._new,
        "\x92": machine._new_with_keywords,
        "b": machine._build,
        "Q": machine._persistent,
    }
    table: list[_Handler | None] = [None] * 256
    for opcode, handler in by_name.items():
        table[ord(opcode)] = handler
    return table


_HANDLERS = _handlers()


def _describe(opcode: int) -> str:
    from pickletools import opcodes

    known = next((each for each in opcodes if each.code == chr(opcode)), None)
    return f"opcode {known.name} is not allowed" if known else "not a pickle opcode"


def globals_in(data: bytes | memoryview) -> list[str]:
    """The dotted names of all globals a pickle mentions, found without running it.

    >>> import pickle
    >>> globals_in(pickle.dumps(print, 2))
    ['__builtin__.print']
    """
    from pickletools import genops

    found: dict[str, None] = {}
    texts: list[str] = []
    memo: dict[int, str] = {}
    try:
        for opcode, argument, _ in genops(bytes(data)):
            if opcode.name in ("GLOBAL", "INST"):
                found[str(argument).replace(" ", ".", 1)] = None
            elif opcode.name == "STACK_GLOBAL" and len(texts) >= 2:
                found[".".join(texts[-2:])] = None
            elif "UNICODE" in opcode.name:
                texts.append(str(argument))
            elif opcode.name == "MEMOIZE":
                memo[len(memo)] = texts[-1] if texts else ""
            elif opcode.name in ("PUT", "BINPUT", "LONG_BINPUT"):
                memo[int(str(argument))] = texts[-1] if texts else ""
            elif opcode.name in ("GET", "BINGET", "LONG_BINGET"):
                texts.append(memo.get(int(str(argument)), ""))
    except ValueError as error:
        raise UnpicklingError(f"the pickle is truncated or corrupt ({error})") from error
    return list(found)
