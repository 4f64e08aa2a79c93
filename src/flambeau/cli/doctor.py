"""``flambeau doctor``: what is installed, what this machine has, and whether it computes."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import sys
from argparse import Namespace
from collections.abc import Callable
from importlib import metadata
from shutil import which
from typing import Any

from ..version import flambeau_version, torch_version

#: Facts by section; a list is one line for each of its elements.
Facts = dict[str, dict[str, Any]]

#: Optional packages: what each is for, and the extra that installs it.
OPTIONAL = {
    "pillow": ("pictures: vision's datasets and transforms", "vision"),
    "tensorboard": ("utils.tensorboard", "tensorboard"),
    "safetensors": ("safetensors files", "safetensors"),
    "matplotlib": ("pictures in lessons", "lessons"),
    "scikit-learn": ("the lessons' data", "lessons"),
    "tqdm": ("progress bars", "lessons"),
    "grandalf": ("drawing graphs without Graphviz", "drawing"),
    "moviepy": ("videos in TensorBoard", ""),
    "mpi4py": ("several processes", ""),
    "cupy": ("GPUs", ""),
}


def main(chosen: Namespace) -> int:
    """Print the facts and the results of the checks; 1 when a check failed."""
    facts, results = gather(), check()
    if chosen.json:
        print(json.dumps({**facts, "checks": {name: fault or "ok" for name, fault in results.items()}}, indent=2))
    else:
        for section, lines in facts.items():
            print(f"{section}")
            for name, value in lines.items():
                for place, line in enumerate(value if isinstance(value, list) else [value]):
                    print(f"  {name if not place else '':<22} {line}")
        print("checks")
        for name, fault in results.items():
            print(f"  {name:<22} {'ok' if fault is None else 'FAILED: ' + fault}")
        failed = sum(fault is not None for fault in results.values())
        print(f"\n{failed} of {len(results)} checks failed." if failed else "\nEverything works.")
    return 1 if any(results.values()) else 0


def installed_version(package: str) -> str | None:
    """The version of an installed package; None when it is not installed.

    >>> from flambeau.cli.doctor import installed_version
    >>> installed_version("no-such-package") is None
    True
    """
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def gather() -> Facts:
    """Everything but the checks."""
    return {
        "versions": _versions(),
        "machine": _machine(),
        "devices": _devices(),
        "threads": _threads(),
        "computing": _computing(),
        "optional packages": _optional(),
    }


def _versions() -> dict[str, Any]:
    import flambeau

    numpy, narrow = installed_version("numpy"), installed_version("ml_dtypes")
    return {
        "flambeau": f"{flambeau_version}, with the interface of PyTorch {torch_version}",
        "in": os.path.dirname(os.path.abspath(flambeau.__file__)),
        "Python": f"{platform.python_version()} ({sys.executable})",
        "NumPy": numpy,
        "ml_dtypes": narrow,
        "PyTorch": _real_torch(),
    }


def _real_torch() -> str:
    from .. import drop_in

    found = "not installed, and not needed"
    if drop_in.installed():
        return "flambeau stands in for it in this process"
    version = installed_version("torch")
    if version is not None:
        found = f"{version} is installed too; `flambeau run` leaves it alone"
    return found


def _machine() -> dict[str, Any]:
    facts: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "processor": _processor(),
        "cores": _cores(),
    }
    memory = _memory()
    if memory:
        facts["memory"] = f"{memory / 2**30:.1f} GiB"
    return facts


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} of {os.cpu_count()} may be used"


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _devices() -> dict[str, Any]:
    import flambeau

    facts: dict[str, Any] = {"cpu": "yes"}
    for name, module in (("cuda", flambeau.cuda), ("mps", flambeau.mps)):
        count = module.device_count()
        facts[name] = f"{count} devices" if count else "no"
    facts["tensors are made on"] = str(flambeau.get_default_device())
    return facts


def _threads() -> dict[str, Any]:
    import flambeau

    facts: dict[str, Any] = {"get_num_threads()": flambeau.get_num_threads()}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        if name in os.environ:
            facts[name] = os.environ[name]
    return facts


def _computing() -> dict[str, Any]:
    import numpy

    blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "BLAS of NumPy": f"{blas.get('name', 'unknown')} {blas.get('version', '')}",
        **_native(),
    }


def _native() -> dict[str, Any]:
    """The native compiler, as far as it is installed, and where it keeps what it has compiled."""
    version = installed_version("llvmlite")
    if version is None or importlib.util.find_spec("flambeau.native") is None:
        return {"native code": "no: programs run on NumPy. For it, pip install llvmlite"}
    facts: dict[str, Any] = {"native code": f"llvmlite {version}"}
    try:
        cache: Any = importlib.import_module("flambeau.native.disk_cache")
    except ModuleNotFoundError:
        return facts
    folder = cache.root()
    if folder is None:
        facts["compiled code"] = "is not kept: FLAMBEAU_CACHE_DIR is empty"
    else:
        count, size = _contents(folder)
        facts["compiled code"] = f"{folder}: {count} files, {size / 1e6:.1f} of at most {cache.CAPACITY / 1e6:.0f} MB"
    return facts


def _contents(folder: Any) -> tuple[int, int]:
    """The number of files below a folder, and their bytes."""
    count = size = 0
    for base, _, files in os.walk(folder):
        for name in files:
            try:
                size += os.path.getsize(os.path.join(base, name))
            except OSError:
                continue  # another process has just removed it
            count += 1
    return count, size


def _optional() -> dict[str, Any]:
    facts = {"Graphviz": f"{'yes' if which('dot') else 'no':<12} drawing graphs: the program dot"}
    for package, (purpose, extra) in OPTIONAL.items():
        version = installed_version(package)
        remedy = f"pip install 'flambeau[{extra}]'" if extra else f"pip install {package}"
        facts[package] = f"{version:<12} {purpose}" if version else f"{'no':<12} {purpose}: {remedy}"
    return facts


# -- checks ------------------------------------------------------------------------------------------------------------


def check() -> dict[str, str | None]:
    """The fault of each check by name; None where all is well."""
    return {name: _fault(function) for name, function in CHECKS.items()}


def _fault(function: Callable[[], tuple[Any, Any]]) -> str | None:
    try:
        found, expected = function()
    except Exception as error:  # whatever is wrong with the installation, it is to be told
        return f"{type(error).__name__}: {error}"
    return None if found == expected else f"{found} instead of {expected}"


def _product() -> tuple[Any, Any]:
    import flambeau

    left, right = flambeau.arange(6.0).view(2, 3), flambeau.ones(3, 2)
    return (left @ right).tolist(), [[3.0, 3.0], [12.0, 12.0]]


def _gradient() -> tuple[Any, Any]:
    import flambeau

    x = flambeau.arange(1.0, 4.0, requires_grad=True)
    (x**3).sum().backward()
    return x.grad.tolist(), [3.0, 12.0, 27.0]


def _random() -> tuple[Any, Any]:
    import flambeau

    generator = flambeau.Generator()
    generator.manual_seed(0)
    return [round(each, 4) for each in flambeau.rand(3, generator=generator).tolist()], [0.4963, 0.7682, 0.0885]


def _training() -> tuple[Any, Any]:
    import flambeau

    x = flambeau.linspace(-1, 1, 16).view(-1, 1)
    model = flambeau.nn.Linear(1, 1)
    optimizer = flambeau.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(50):
        loss = flambeau.nn.functional.mse_loss(model(x), 2 * x + 1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [round(each.item(), 2) for each in model.parameters()], [2.0, 1.0]


def _saving() -> tuple[Any, Any]:
    import io

    import flambeau

    file = io.BytesIO()
    flambeau.save({"weight": flambeau.arange(3)}, file)
    file.seek(0)
    return flambeau.load(file)["weight"].tolist(), [0, 1, 2]


def _sharing() -> tuple[Any, Any]:
    import numpy

    import flambeau

    array = numpy.zeros(2, numpy.float32)
    tensor = flambeau.from_numpy(array)
    tensor += 1
    return array.tolist(), [1.0, 1.0]


#: Small computations whose results are known: each gives what it found and what it should have.
CHECKS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "matrix product": _product,
    "gradient": _gradient,
    "PyTorch's random": _random,
    "training": _training,
    "saving and loading": _saving,
    "NumPy shares memory": _sharing,
}
