"""The runtime: what runs a program's steps, and the pool of threads they share. Written once, as LLVM IR, like any kernel.

A program is a table of 64-bit words (``Header``). To run it, the addresses of the caller's arrays are read straight out of the
Python list that holds them, arguments are filled in, and each step's kernel is called for its items: by this thread alone
where they are few, else by every thread of the pool, each taking the next few items until none is left.

A worker waits for work by watching one word, for some microseconds; then it sleeps (futex) until it is woken. A job can be joined
only while it is open, so nobody waits for a thread that woke too late. The thread whose job it is waits for those that joined in
the same way: where other processes want the processors, one that waits must not keep the one it waits for from running.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

import numpy as np

from ..core.threads import get_num_threads
from .builder import Builder, Operand, constant, integer
from .machine import compiling, machine

#: Words of a program's header.
HEADER = (
    "input_count", "inputs", "output_count", "patch_count", "patches", "steps", "arguments", "bases", "failure", "long",
)  # fmt: skip
#: Words of a step. ``grain``: how many items are taken at a time; ``check``: stop here if a step failed.
STEP = ("function", "items", "arguments", "grain", "check", "scratch")
#: Words that describe an input: its kind, how many strides are checked, where they are, and a number's cell.
INPUT = ("kind", "stride_count", "strides", "cell")
UNUSED, ARRAY, FLOAT, INTEGER, COMPLEX = range(5)
#: What ``prepare`` and ``run`` return.
DONE, FAILED, DIFFERENT = range(3)

# Where CPython's and NumPy's objects hold these, as their own macros read them.
_LIST_ITEMS, _ARRAY_DATA, _ARRAY_STRIDES = 24, 16, 40

# The pool's control block: byte offsets, a cache line each for what different threads write.
_STATE, _NEXT, _SLEEPERS, _BELL, _STEP, _WORKERS, _WAITING, _LEFT = 0, 64, 128, 192, 256, 320, 384, 448
# The state: how many workers are in the job (32 bits), whether it is open, its number.
_OPEN = 1 << 32
#: How often a worker, and a thread that waits for workers, looks before it sleeps: about 50 and 25 microseconds.
_SPIN, _PATIENCE = 1000, 500
# Of the system call futex, for threads of one process.
_WAIT, _WAKE = 128, 129


class Runtime:
    """The compiled runtime and its pool.

    Attributes:
        prepare: (program, inputs, outputs) → status; with the GIL.
        run: (program, first step, last step) → status; without the GIL.
        call: prepare and run everything; with the GIL, given up where the program says it takes long.
    """

    def __init__(self) -> None:
        self._control = np.zeros(1024, np.uint8)
        self._address = _aligned(self._control)
        self._threads: list[int] = []
        self._stacks: list[Any] = []
        self.workers = 0
        _provide()
        builders = [_prepare(), _worker(), _do_items(), _run(self._address), _call()]
        text = "\n".join(each.text() for each in builders)
        declarations = {k: v for each in builders for k, v in each.declarations.items()}
        defined = {each.name for each in builders}
        code = machine().object_code(text, [v for k, v in declarations.items() if k not in defined])
        names = [each.name for each in builders]
        addresses = dict(zip(names, machine().load(code, names)))
        self._worker_address = addresses["flambeau_worker"]
        word, thing = ctypes.c_int64, ctypes.py_object
        self.prepare = ctypes.PYFUNCTYPE(word, word, thing, thing)(addresses["flambeau_prepare"])
        self.run = ctypes.CFUNCTYPE(word, word, word, word)(addresses["flambeau_run"])
        self.call = ctypes.PYFUNCTYPE(word, word, thing, thing)(addresses["flambeau_call"])
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """After a fork the child has no workers; they are begun anew when wanted."""
        self.workers = 0
        self._threads = []
        self._control[:] = 0

    def settle(self) -> None:
        """Have as many workers as ``get_num_threads`` asks for, beside the thread that calls."""
        wanted = get_num_threads() - 1 if sys.platform == "linux" else 0
        if wanted > len(self._threads):
            create = ctypes.CDLL(None).pthread_create
            while len(self._threads) < wanted:
                handle = ctypes.c_void_p(0)
                argument = np.array([self._address, len(self._threads) + 1], np.int64)
                self._stacks.append(argument)
                if create(ctypes.byref(handle), None, ctypes.c_void_p(self._worker_address), ctypes.c_void_p(argument.ctypes.data)):
                    break  # no more threads to be had: those there are do it all
                self._threads.append(handle.value or 0)
        self.workers = min(wanted, len(self._threads))
        ctypes.c_int64.from_address(self._address + _WORKERS).value = self.workers


def _aligned(array: Any) -> int:
    return -(-array.ctypes.data // 64) * 64


def _provide() -> None:
    api = ctypes.pythonapi
    for name in ("PyEval_SaveThread", "PyEval_RestoreThread", "PyFloat_AsDouble", "PyComplex_RealAsDouble",
                 "PyComplex_ImagAsDouble", "PyLong_AsLongLong", "PyErr_Occurred", "PyErr_Clear"):
        machine().provide(name, ctypes.cast(getattr(api, name), ctypes.c_void_p).value or 0)
    libc = ctypes.CDLL(None)
    machine().provide("syscall", ctypes.cast(libc.syscall, ctypes.c_void_p).value or 0)


def _word(b: Builder, base: Operand, position: int) -> Operand:
    return b.load("i64", b.at(base, "i64", position))


def _pointer(b: Builder, base: Operand, position: int) -> Operand:
    return b.load("ptr", b.at(base, "i64", position))


def _field(names: tuple[str, ...], name: str) -> int:
    return names.index(name)


def _prepare() -> Builder:
    """``prepare(program, inputs, outputs)``: read numbers and addresses, check layouts, fill in arguments."""
    b = Builder("flambeau_prepare", ("ptr", "ptr", "ptr"), "i64")
    program, inputs, outputs = b.parameters
    items = b.load("ptr", b.at(inputs, "i8", _LIST_ITEMS))
    results = b.load("ptr", b.at(outputs, "i8", _LIST_ITEMS))
    bases = _pointer(b, program, _field(HEADER, "bases"))
    table = _pointer(b, program, _field(HEADER, "inputs"))
    count = _word(b, program, _field(HEADER, "input_count"))
    wrong = b.variable(integer(0))
    with b.loop(0, count) as k:
        entry = b.at(table, "i64", b.multiply(k, integer(len(INPUT))))
        thing = b.load("ptr", b.at(items, "ptr", k))
        kind = _word(b, entry, 0)
        with b.when(b.compare("eq", kind, integer(ARRAY))):
            b.store(b.load("ptr", b.at(thing, "i8", _ARRAY_DATA)), b.at(bases, "ptr", k))
            strides = b.load("ptr", b.at(thing, "i8", _ARRAY_STRIDES))
            pairs = _pointer(b, entry, 2)
            with b.loop(0, _word(b, entry, 1)) as n:
                pair = b.at(pairs, "i64", b.multiply(n, integer(2)))
                actual = b.load("i64", b.at(strides, "i64", _word(b, pair, 0)))
                with b.when(b.compare("ne", actual, _word(b, pair, 1))):
                    b.set(wrong, integer(1))
        with b.when(b.compare("eq", kind, integer(FLOAT))):
            cell = _pointer(b, entry, 3)
            b.store(b.call("PyFloat_AsDouble", [thing], "double"), cell)
            b.store(cell, b.at(bases, "ptr", k))
        with b.when(b.compare("eq", kind, integer(COMPLEX))):
            cell = _pointer(b, entry, 3)
            b.store(b.call("PyComplex_RealAsDouble", [thing], "double"), cell)
            b.store(b.call("PyComplex_ImagAsDouble", [thing], "double"), b.at(cell, "double", 1))
            b.store(cell, b.at(bases, "ptr", k))
        with b.when(b.compare("eq", kind, integer(INTEGER))):
            cell = _pointer(b, entry, 3)
            value = b.call("PyLong_AsLongLong", [thing], "i64")
            b.store(value, cell)
            b.store(cell, b.at(bases, "ptr", k))
            with b.when(b.compare("eq", value, integer(-1))):
                error = b.call("PyErr_Occurred", [], "ptr")
                with b.when(b.compare("ne", error, Operand("ptr", "null"))):
                    b.call("PyErr_Clear", [])
                    b.set(wrong, integer(1))
    with b.loop(0, _word(b, program, _field(HEADER, "output_count"))) as k:
        thing = b.load("ptr", b.at(results, "ptr", k))
        b.store(b.load("ptr", b.at(thing, "i8", _ARRAY_DATA)), b.at(bases, "ptr", b.add(count, k)))
    arguments = _pointer(b, program, _field(HEADER, "arguments"))
    patches = _pointer(b, program, _field(HEADER, "patches"))
    with b.loop(0, _word(b, program, _field(HEADER, "patch_count"))) as k:
        patch = b.at(patches, "i64", b.multiply(k, integer(2)))
        base = b.load("ptr", b.at(bases, "ptr", _word(b, patch, 0)))
        b.store(b.at(base, "i8", _word(b, patch, 1)), b.at(arguments, "ptr", k))
    b.store(integer(0), _pointer(b, program, _field(HEADER, "failure")))
    b.done(b.select(b.compare("ne", b.get(wrong), integer(0)), integer(DIFFERENT), integer(DONE)))
    return b


def _do_items() -> Builder:
    """``do_items(control, step, worker)``: take items until none is left.

    Threads of even number take them from the front, the others from the back. With two, each then has about the same half of
    every step, and finds there in its cache what it wrote in the step before. One word counts both: whoever adds to it first has it.
    """
    b = Builder("flambeau_do_items", ("ptr", "ptr", "i64"))
    control, step, worker = b.parameters
    function = _pointer(b, step, _field(STEP, "function"))
    items, grain = _word(b, step, _field(STEP, "items")), _word(b, step, _field(STEP, "grain"))
    arguments = _pointer(b, step, _field(STEP, "arguments"))
    scratch = _scratch(b, step, worker)
    shares = b.binary("sdiv", b.add(items, b.subtract(grain, integer(1))), grain)
    from_back = b.compare("ne", b.binary("and", worker, integer(1)), integer(0))
    one = b.select(from_back, integer(1 << 32), integer(1))
    again, body, end = b.label(), b.label(), b.label()
    counter = b.at(control, "i8", _NEXT)
    b.branch(again)
    b.place(again)
    taken = b.emit("i64", f"atomicrmw add {counter}, {one} monotonic, align 8")
    front, back = b.binary("and", taken, integer((1 << 32) - 1)), b.binary("lshr", taken, integer(32))
    b.branch_if(b.compare("slt", b.add(front, back), shares), body, end)
    b.place(body)
    share = b.select(from_back, b.subtract(b.subtract(shares, integer(1)), back), front)
    begin = b.multiply(share, grain)
    stop = b.intrinsic("llvm.smin", b.add(begin, grain), items)
    b.line(f"call void {function.name}({arguments}, {begin}, {stop}, {scratch})")
    b.branch(again)
    b.place(end)
    b.done()
    return b


def _scratch(b: Builder, step: Operand, worker: Operand) -> Operand:
    """A thread's own memory: words of the step say where all threads' memory begins and how much each has."""
    table = _pointer(b, step, _field(STEP, "scratch"))
    base, size = _pointer(b, table, 0), _word(b, table, 1)
    return b.at(base, "i8", b.multiply(size, worker))


def _worker() -> Builder:
    """A thread of the pool: wait, join, take items, leave; for ever."""
    b = Builder("flambeau_worker", ("ptr",), "ptr")
    control = b.load("ptr", b.parameters[0])
    me = _word(b, b.parameters[0], 1)
    state, bell = b.at(control, "i8", _STATE), b.at(control, "i8", _BELL)
    sleepers, workers = b.at(control, "i8", _SLEEPERS), b.at(control, "i8", _WORKERS)
    wait, look, join, joined, rest, sleep, doze, awake = (b.label() for _ in range(8))
    spins, done = b.variable(integer(0)), b.variable(integer(0))

    def wanted(order: str) -> tuple[Operand, Operand]:
        """The state, and whether there is a job to join: open, not one I have done, and I may."""
        now = b.emit("i64", f"load atomic i64, {state} {order}, align 8")
        is_open = b.compare("ne", b.binary("and", now, integer(_OPEN)), integer(0))
        is_new = b.compare("ne", b.binary("lshr", now, integer(33)), b.get(done))
        allowed = b.compare("sle", me, b.emit("i64", f"load atomic i64, {workers} monotonic, align 8"))
        return now, b.binary("and", b.binary("and", is_open, is_new), allowed)

    b.branch(wait)
    b.place(wait)
    b.set(spins, integer(0))
    b.branch(look)
    b.place(look)
    now, there = wanted("acquire")
    b.branch_if(there, join, rest)
    b.place(join)
    pair = b.emit("{ i64, i1 }", f"cmpxchg {state}, {now}, {b.add(now, integer(1))} acquire monotonic, align 8")
    b.branch_if(b.emit("i1", f"extractvalue {pair}, 1"), joined, look)
    b.place(joined)
    b.set(done, b.binary("lshr", now, integer(33)))
    step = b.load("ptr", b.at(control, "i8", _STEP))
    b.call("flambeau_do_items", [control, step, me])
    b.emit("i64", f"atomicrmw sub {state}, i64 1 seq_cst, align 8")
    waiting = b.emit("i64", f"load atomic i64, {b.at(control, 'i8', _WAITING)} seq_cst, align 8")
    with b.when(b.compare("ne", waiting, integer(0))):
        left = b.at(control, "i8", _LEFT)
        b.emit("i32", f"atomicrmw add {left}, i32 1 seq_cst, align 4")
        _futex(b, left, _WAKE, constant("i32", 1))
    b.branch(wait)
    b.place(rest)
    _pause(b)
    b.set(spins, b.add(b.get(spins), integer(1)))
    b.branch_if(b.compare("slt", b.get(spins), integer(_SPIN)), look, sleep)
    b.place(sleep)
    heard = b.emit("i32", f"load atomic i32, {bell} acquire, align 4")
    b.emit("i64", f"atomicrmw add {sleepers}, i64 1 seq_cst, align 8")
    _, there = wanted("seq_cst")
    b.branch_if(there, awake, doze)
    b.place(doze)
    _futex(b, bell, _WAIT, heard)
    b.branch(awake)
    b.place(awake)
    b.emit("i64", f"atomicrmw sub {sleepers}, i64 1 seq_cst, align 8")
    b.branch(wait)
    return b


def _pause(b: Builder) -> None:
    """Tell the processor that this is a loop that waits."""
    import platform

    if platform.machine().lower() in ("x86_64", "amd64"):
        b.call("llvm.x86.sse2.pause", [])
    else:
        b.call("llvm.aarch64.hint", [constant("i32", 1)])


def _futex(b: Builder, word: Operand, operation: int, value: Operand) -> None:
    import platform

    number = 202 if platform.machine() == "x86_64" else 98
    b.declarations.setdefault("syscall", "declare i64 @syscall(i64, ...)")
    b.emit("i64", f"call i64 (i64, ...) @syscall(i64 {number}, {word}, i32 {operation}, {value}, ptr null, ptr null, i32 0)")


def _run(control_address: int) -> Builder:
    """``run(program, first, last)``: the steps, one after the other."""
    b = Builder("flambeau_run", ("ptr", "i64", "i64"), "i64")
    program, first, last = b.parameters
    control = b.emit("ptr", f"inttoptr i64 {control_address} to ptr")
    steps = _pointer(b, program, _field(HEADER, "steps"))
    failure = _pointer(b, program, _field(HEADER, "failure"))
    workers = b.emit("i64", f"load atomic i64, {b.at(control, 'i8', _WORKERS)} monotonic, align 8")
    failed = b.label()
    with b.loop(first, last) as k:
        step = b.at(steps, "i64", b.multiply(k, integer(len(STEP))))
        checked, go, alone, together, after = (b.label() for _ in range(5))
        b.branch_if(b.compare("ne", _word(b, step, _field(STEP, "check")), integer(0)), checked, go)
        b.place(checked)
        bad = b.emit("i64", f"load atomic i64, {failure} monotonic, align 8")
        b.branch_if(b.compare("ne", bad, integer(0)), failed, go)
        b.place(go)
        items, grain = _word(b, step, _field(STEP, "items")), _word(b, step, _field(STEP, "grain"))
        many = b.compare("sgt", items, grain)
        b.branch_if(b.binary("and", many, b.compare("sgt", workers, integer(0))), together, alone)
        b.place(alone)
        function = _pointer(b, step, _field(STEP, "function"))
        arguments = _pointer(b, step, _field(STEP, "arguments"))
        b.line(f"call void {function.name}({arguments}, i64 0, {items}, {_scratch(b, step, integer(0))})")
        b.branch(after)
        b.place(together)
        _together(b, control, step)
        b.branch(after)
        b.place(after)
    bad = b.emit("i64", f"load atomic i64, {failure} monotonic, align 8")
    b.done(b.select(b.compare("ne", bad, integer(0)), integer(FAILED), integer(DONE)))
    b.place(failed)
    b.done(integer(FAILED))
    return b


def _together(b: Builder, control: Operand, step: Operand) -> None:
    """Open a step as a job, do items of it, close it, and wait for those who have joined."""
    state, bell = b.at(control, "i8", _STATE), b.at(control, "i8", _BELL)
    waiting, left = b.at(control, "i8", _WAITING), b.at(control, "i8", _LEFT)
    b.store(step, b.at(control, "i8", _STEP))
    b.store(integer(0), b.at(control, "i8", _NEXT))
    old = b.emit("i64", f"load atomic i64, {state} monotonic, align 8")
    job = b.binary("shl", b.add(b.binary("lshr", old, integer(33)), integer(1)), integer(33))
    b.emit("i64", f"atomicrmw xchg {state}, {b.add(job, integer(_OPEN))} seq_cst, align 8")
    sleeping = b.emit("i64", f"load atomic i64, {b.at(control, 'i8', _SLEEPERS)} seq_cst, align 8")
    with b.when(b.compare("sgt", sleeping, integer(0))):
        b.emit("i32", f"atomicrmw add {bell}, i32 1 seq_cst, align 4")
        _futex(b, bell, _WAKE, constant("i32", 1 << 20))
    b.call("flambeau_do_items", [control, step, integer(0)])
    b.emit("i64", f"atomicrmw and {state}, i64 {~_OPEN} seq_cst, align 8")
    drain, again, sleep, doze, awake, end = (b.label() for _ in range(6))
    looks = b.variable(integer(0))

    def inside(order: str) -> Operand:
        """Whether some worker is still at it."""
        now = b.emit("i64", f"load atomic i64, {state} {order}, align 8")
        return b.compare("ne", b.binary("and", now, integer(_OPEN - 1)), integer(0))

    b.branch(drain)
    b.place(drain)
    b.branch_if(inside("acquire"), again, end)
    b.place(again)
    _pause(b)
    b.set(looks, b.add(b.get(looks), integer(1)))
    b.branch_if(b.compare("slt", b.get(looks), integer(_PATIENCE)), drain, sleep)
    b.place(sleep)
    heard = b.emit("i32", f"load atomic i32, {left} acquire, align 4")
    b.emit("i64", f"atomicrmw xchg {waiting}, i64 1 seq_cst, align 8")
    b.branch_if(inside("seq_cst"), doze, awake)
    b.place(doze)
    _futex(b, left, _WAIT, heard)
    b.branch(awake)
    b.place(awake)
    b.emit("i64", f"atomicrmw xchg {waiting}, i64 0 seq_cst, align 8")
    b.branch(drain)
    b.place(end)


def _call() -> Builder:
    """``call(program, inputs, outputs)``: prepare and run; other Python threads go on meanwhile where it takes long."""
    b = Builder("flambeau_call", ("ptr", "ptr", "ptr"), "i64")
    program, inputs, outputs = b.parameters
    status = b.call("flambeau_prepare", [program, inputs, outputs], "i64")
    result = b.variable(status)
    # The number of steps follows the header.
    count = _word(b, program, len(HEADER))
    with b.when(b.compare("eq", status, integer(DONE))):
        takes_long = b.compare("ne", _word(b, program, _field(HEADER, "long")), integer(0))
        free, held, end = b.label(), b.label(), b.label()
        b.branch_if(takes_long, free, held)
        b.place(free)
        thread = b.call("PyEval_SaveThread", [], "ptr")
        b.set(result, b.call("flambeau_run", [program, integer(0), count], "i64"))
        b.call("PyEval_RestoreThread", [thread])
        b.branch(end)
        b.place(held)
        b.set(result, b.call("flambeau_run", [program, integer(0), count], "i64"))
        b.branch(end)
        b.place(end)
    b.done(b.get(result))
    return b


_runtime: Runtime | None = None


def runtime() -> Runtime:
    """The process's runtime, made when first asked for."""
    global _runtime
    if _runtime is None:
        with compiling:
            _runtime = _runtime or Runtime()
    return _runtime
