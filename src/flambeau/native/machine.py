"""Machine code: from LLVM IR text to addresses of functions, by llvmlite."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Iterable

import llvmlite.binding as llvm

from ..tracing.recorder import lock

#: Loops are written with their vectors, so LLVM's own vectorisers stay off: they cost time and undo choices.
_ATTRIBUTES = (
    'attributes #0 = {{ nounwind "no-trapping-math"="true" "prefer-vector-width"="{width}" "target-cpu"="{cpu}" '
    '"target-features"="{features}" }}\n!0 = !{{}}\n'
)

#: Absolute addresses where the system allows them: with ``pic`` the large code model finds constants through a global offset
#: table, which LLVM's loader gives wrong addresses once there is more than one object.
_RELOCATION = "pic" if sys.platform == "darwin" else "static"

#: Held by whoever uses LLVM. A fork waits for it, since the child would inherit what LLVM was in the middle of; the end of the
#: process takes it for good, since LLVM's own destructors run then.
compiling = threading.RLock()


def _stop() -> None:
    # In the order in which a program that is compiled before it runs takes them.
    lock.acquire()
    compiling.acquire()


def _go_on() -> None:
    compiling.release()
    lock.release()


class Machine:
    """This computer's processor as a target of compilation.

    Attributes:
        cpu, features: LLVM's names for them; part of what cached code is filed under.
        vector_bytes: how wide a register is: 64 with AVX-512, 32 with AVX2, else 16.
    """

    def __init__(self) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.cpu = llvm.get_host_cpu_name()
        features = llvm.get_host_cpu_features()
        self.features = features.flatten()
        self.triple = llvm.get_process_triple()
        self.vector_bytes = 64 if features.get("avx512f") else 32 if features.get("avx2") else 16
        target = llvm.Target.from_triple(self.triple)
        self._target = target.create_target_machine(
            cpu=self.cpu, features=self.features, opt=2, reloc=_RELOCATION, codemodel="large", jit=True
        )
        self.header = _ATTRIBUTES.format(width=self.vector_bytes * 8, cpu=self.cpu, features=self.features)
        empty = llvm.parse_assembly("")
        empty.triple = self.triple
        self._engine = llvm.create_mcjit_compiler(empty, self._target)
        os.register_at_fork(before=_stop, after_in_parent=_go_on, after_in_child=_go_on)
        atexit.register(compiling.acquire)

    @property
    def lanes(self) -> int:
        """How many 32-bit elements fill a register."""
        return self.vector_bytes // 4

    def object_code(self, functions: str, declarations: Iterable[str]) -> bytes:
        """Compile IR text to an object file."""
        with compiling:
            return self._object_code(functions, declarations)

    def _object_code(self, functions: str, declarations: Iterable[str]) -> bytes:
        # A declaration may be a function of its own, with declarations of what that calls.
        lines = [line for each in sorted(set(declarations)) for line in each.splitlines()]
        declared = dict.fromkeys(line for line in lines if line.startswith("declare"))
        others = (line for line in lines if not line.startswith("declare"))
        text = "\n".join((*declared, *others, functions, self.header))
        module = llvm.parse_assembly(text)
        module.triple = self.triple
        module.data_layout = str(self._target.target_data)
        target = self._target
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = options.slp_vectorization = False
        options.loop_unrolling = False  # kernels unroll what pays; LLVM doing more took a third of the time for nothing
        builder = llvm.create_pass_builder(target, options)
        builder.getModulePassManager().run(module, builder)
        return target.emit_object(module)

    def load(self, code: bytes, symbols: Iterable[str]) -> list[int]:
        """Bring object files' code to where it can run; the addresses of ``symbols``."""
        with compiling:
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
            self._engine.finalize_object()
            return [self._engine.get_function_address(symbol) for symbol in symbols]

    def provide(self, symbol: str, address: int) -> None:
        """Let code call the function at ``address`` by name."""
        llvm.add_symbol(symbol, address)


_machine: Machine | None = None


def machine() -> Machine:
    """The computer this runs on."""
    global _machine
    if _machine is None:
        with compiling:
            _machine = _machine or Machine()
    return _machine
