"""Carries PyTorch's objects over to another library with PyTorch's API, and results back.

The target library is a parameter, so the same code makes independent copies for PyTorch itself: one sample is
converted twice, once for each side, and neither side sees what the other does to its arguments in place.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import operator
import types
from typing import Any

import numpy
import torch

SEED_OF_WRAPPED_CALLS = 42
MOST_DIMENSIONS = 64  # NumPy's limit


class NotConvertible(Exception):
    """The value has no counterpart in the target library (a sparse layout, an absent class)."""


def attribute_at(root: Any, path: str) -> Any:
    """`root.a.b.c`, or None where a part is missing."""
    for part in path.split("."):
        try:
            root = getattr(root, part, None)
        except ImportError:
            return None
        if root is None:
            return None
    return root


def seed(library: Any, number: int) -> None:
    """Seeds the library's default generator; one that has no generator yet can still run its other operators."""
    with contextlib.suppress(ImportError, AttributeError):
        library.manual_seed(number)


class Converter:
    """Converts the arguments of one call; tensors that share a storage share one afterwards."""

    def __init__(self, library: Any):
        self.library = library
        self.storages: dict[int, Any] = {}
        self.tensors: dict[int, Any] = {}
        self.kept_alive: list[Any] = []
        self.functions: dict[int, Any] = {}

    def __call__(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float, complex, str, numpy.ndarray, numpy.generic, range)):
            return value
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if isinstance(value, torch.Size):
            return self.library.Size(value)
        if isinstance(value, (list, set, frozenset)):
            return type(value)(self(item) for item in value)
        if isinstance(value, tuple):
            items = [self(item) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
        if isinstance(value, dict):
            return {key: self(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(self(value.start), self(value.stop), self(value.step))
        if value is Ellipsis or (isinstance(value, type) and value.__module__ == "builtins"):
            return value
        if isinstance(value, (torch.dtype, torch.memory_format, torch.layout)):
            return self.named(str(value).removeprefix("torch."))
        if isinstance(value, torch.device):
            return self.library.device(str(value))
        if isinstance(value, torch.Generator):
            return self.generator(value)
        if isinstance(value, torch.nn.Module):
            return self.module(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self.of_dataclass(value)
        if callable(value):
            return self.function(value)
        raise NotConvertible(f"a {type(value).__module__}.{type(value).__qualname__}")

    def named(self, path: str) -> Any:
        found = attribute_at(self.library, path)
        if found is None:
            raise NotConvertible(f"{path} is not there")
        return found

    def tensor(self, tensor: torch.Tensor) -> Any:
        """An equal tensor with the same strides, offset and requires_grad; always a leaf."""
        if id(tensor) in self.tensors:
            return self.tensors[id(tensor)]
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested or tensor.device.type != "cpu":
            raise NotConvertible(f"a tensor of layout {tensor.layout} on {tensor.device}")
        if tensor.dim() > MOST_DIMENSIONS or (tensor.dtype == torch.complex32 and self.library is not torch):
            raise NotConvertible(f"a tensor of {tensor.dim()} dimensions and {tensor.dtype}")
        plain = tensor.detach().resolve_conj().resolve_neg()
        whole = plain.numel() * plain.element_size() == plain.untyped_storage().nbytes() and plain.is_contiguous()
        if whole:
            result = self.storages.get(plain.untyped_storage().data_ptr()) if plain.numel() else None
            if result is None:
                result = self.filled(plain)
                if plain.numel():
                    self.storages[plain.untyped_storage().data_ptr()] = result
            else:
                result = result.as_strided(plain.size(), plain.stride(), plain.storage_offset())
        else:
            count = plain.untyped_storage().nbytes() // plain.element_size()
            key = plain.untyped_storage().data_ptr()
            base = self.storages.get(key) if count else None
            if base is None or base.dtype != self(plain.dtype):
                flat = torch.empty(0, dtype=plain.dtype).set_(plain.untyped_storage(), 0, (count,), (1,))
                base = self.storages[key] = self.filled(flat)
            result = base.as_strided(tuple(plain.size()), plain.stride(), plain.storage_offset())
        result = result.detach()
        if isinstance(tensor, torch.nn.Parameter):
            result = self.library.nn.Parameter(result, requires_grad=tensor.requires_grad)
        elif tensor.requires_grad:
            result.requires_grad_()
        self.tensors[id(tensor)] = result
        self.kept_alive += [tensor, plain]
        return result

    def filled(self, tensor: torch.Tensor) -> Any:
        """A contiguous tensor with these values and a storage of its own."""
        if self.library is torch:
            return tensor.clone(memory_format=torch.contiguous_format)
        if tensor.dtype == torch.bfloat16:
            return self.library.tensor(tensor.float().numpy(), dtype=self.library.bfloat16)
        return self.library.tensor(tensor.numpy().copy())

    def generator(self, generator: torch.Generator) -> Any:
        result = self.library.Generator()
        result.set_state(self(generator.get_state()))
        return result

    def module(self, module: torch.nn.Module) -> Any:
        """A module without parameters, by its class and plain attributes."""
        result = self.named("nn." + type(module).__name__)()
        for name, value in vars(module).items():
            if not name.startswith("_") and name != "training":
                setattr(result, name, self(value))
        return result

    def of_dataclass(self, value: Any) -> Any:
        path = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("torch.")
        fields = {field.name: self(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return self.named(path)(**fields)

    def function(self, function: Any) -> Any:
        """The counterpart of one of PyTorch's functions, or a function of the test databases over the library.

        The databases wrap many operators in small functions (`lambda x: torch.zero_(x.clone())`); such a function
        is rebuilt with `torch` and its helpers in its globals and closure replaced.
        """
        if self.library is torch:
            return function
        if id(function) in self.functions:
            return self.functions[id(function)]
        if isinstance(function, functools.partial):
            return functools.partial(self.function(function.func), *self(function.args), **self(function.keywords))
        if isinstance(function, types.MethodType):
            return types.MethodType(self.function(function.__func__), self(function.__self__))
        module = getattr(function, "__module__", None) or ""
        if isinstance(function, types.FunctionType) and (
            module.startswith("torch.testing") or not module.startswith("torch")
        ):
            if function.__name__ == "wrapper_set_seed":
                return self.seeded_call
            return self.rebuilt(function)
        if module == "_operator" or getattr(operator, getattr(function, "__name__", ""), None) is function:
            return function
        name = getattr(function, "__name__", None)
        paths = [f"{module}.{name}".removeprefix("torch."), f"Tensor.{name}", str(name)]
        if module.startswith("torch._C._"):  # `torch._C._special.special_exp2` is `torch.special.exp2`
            family = module.removeprefix("torch._C._")
            paths += [f"{family}.{str(name).removeprefix(family + '_')}", f"nn.functional.{name}"]
        for path in paths:
            found = attribute_at(self.library, path)
            if found is not None and attribute_at(torch, path) is function:
                return found
        if isinstance(function, type):
            return self.named(f"{module}.{name}".removeprefix("torch."))
        raise NotConvertible(f"the function {name} is not there")

    def rebuilt(self, function: types.FunctionType) -> Any:
        names = {"__builtins__": __builtins__, "__name__": function.__module__}
        codes = [function.__code__]
        while codes:
            code = codes.pop()
            codes += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
            for name in code.co_names:
                if name in function.__globals__:
                    names[name] = self.reference(function.__globals__[name])
        closure = None
        if function.__closure__ is not None:
            closure = tuple(types.CellType(self.reference(cell.cell_contents)) for cell in function.__closure__)
        defaults = self(function.__defaults__) if function.__defaults__ else None
        result = types.FunctionType(function.__code__, names, function.__name__, defaults, closure)
        result.__kwdefaults__ = self(function.__kwdefaults__) if function.__kwdefaults__ else None
        self.functions[id(function)] = result
        self.kept_alive.append(function)
        return result

    def reference(self, value: Any) -> Any:
        """What a global name or a closure cell of a rebuilt function refers to."""
        if isinstance(value, types.ModuleType):
            if value is torch:
                return self.library
            return self.named(value.__name__.removeprefix("torch.")) if value.__name__.startswith("torch.") else value
        try:
            return self(value)
        except NotConvertible:
            return value

    def seeded_call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        with self.library.random.fork_rng() if hasattr(self.library, "random") else contextlib.nullcontext():
            seed(self.library, SEED_OF_WRAPPED_CALLS)
            return function(*args, **kwargs)


def to_torch(tensor: Any, library: Any) -> torch.Tensor:
    """The values of the library's tensor as a contiguous PyTorch tensor, leaving the original unexposed."""
    if library is torch:
        return tensor.detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
    plain = tensor.detach().clone(memory_format=library.contiguous_format)
    if plain.dtype == library.bfloat16:
        return torch.from_numpy(plain.to(library.float32).numpy()).to(torch.bfloat16)
    return torch.from_numpy(plain.numpy())


def tensors_in(value: Any, kind: type) -> list[Any]:
    """Every tensor of the given class inside nested sequences and dicts, in order."""
    if isinstance(value, kind):
        return [value]
    if isinstance(value, dict):
        return [tensor for item in value.values() for tensor in tensors_in(item, kind)]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in tensors_in(item, kind)]
    return []
