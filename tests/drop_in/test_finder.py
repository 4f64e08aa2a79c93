"""The import hook, each case in a process of its own: what is imported in this one must stay what it is."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from flambeau import drop_in
from flambeau.torch_version import TorchVersion
from flambeau.version import flambeau_version

SOURCE = str(Path(drop_in.__file__).parents[2])


def python(code: str, *arguments: str, dropped_in: bool = True, **variables: str) -> str:
    """What a program prints, run with the drop-in."""
    environment = {**os.environ, "PYTHONPATH": SOURCE, **variables}
    if dropped_in:
        environment = drop_in.environment(environment)
    done = subprocess.run(
        [sys.executable, *arguments, "-c", textwrap.dedent(code)], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_torch_is_flambeau_module_by_module() -> None:
    out = python(
        """
        import torch, torch.nn as nn, torch.nn.functional as F, torch.utils.data, torch.optim.lr_scheduler
        from torch.nn.modules.linear import Linear
        from torch import optim, Tensor
        import flambeau, sys
        assert torch is flambeau and nn is flambeau.nn and F is flambeau.nn.functional and Linear is flambeau.nn.Linear
        aliases = [name for name in sys.modules if name.partition(".")[0] == "torch"]
        print(len(aliases) > 5, all(sys.modules[name] is sys.modules["flambeau" + name[5:]] for name in aliases))
        print(flambeau.nn.__spec__.name, callable(torch.tensor))
        """
    )
    assert out == "True True\nflambeau.nn True\n"


def test_versions_and_metadata() -> None:
    out = python(
        """
        import importlib.util, importlib.metadata, sys
        print(importlib.metadata.version("torch"), importlib.metadata.version("torchvision"))
        print(importlib.util.find_spec("torch") is not None, importlib.util.find_spec("torch.nn.nonsense"))
        import torch
        print(torch.__version__, torch.__version__ >= (2, 4), torch.version.__version__, torch.version.cuda)
        print(importlib.util.find_spec("torch") is not None, "torch" in {d.name for d in importlib.metadata.distributions()})
        """
    )
    version = f"2.13.0+flambeau{flambeau_version}"
    assert out.splitlines() == [
        f"{version} 0.28.0+flambeau{flambeau_version}", "True None", f"{version} True {version} None", "True True",
    ]  # fmt: skip


def test_listing_packages_imports_nothing() -> None:
    out = python(
        """
        import importlib.metadata, sys
        importlib.metadata.entry_points()
        print(importlib.metadata.packages_distributions()["torch"][0], importlib.metadata.requires("torch"))
        print([d.version for d in importlib.metadata.distributions() if d.metadata["Name"] == "torch"][0], "flambeau" in sys.modules)
        """
    )
    assert out.splitlines() == ["torch None", f"2.13.0+flambeau{flambeau_version} False"]


def test_modules_of_torch_that_are_programs() -> None:
    environment = drop_in.environment({**os.environ, "PYTHONPATH": SOURCE})
    command = [sys.executable, "-m", "torch.utils.collect_env"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, "") and f"flambeau {flambeau_version}" in done.stdout


def test_what_is_missing_says_so() -> None:
    out = python(
        """
        import torch
        for program in (
            "torch.nonsense", "from torch import nonsense", "import torch.nonsense", "import torch.tensor", "torch.nn.nonsense",
            "from torch.nn import nonsense",
        ):
            try:
                exec(program)
            except (AttributeError, ImportError) as error:
                print(type(error).__name__, error)
        print(callable(torch.tensor))
        """
    )
    lines = out.splitlines()
    assert lines[0] == "AttributeError module 'flambeau' has no attribute 'nonsense'; if PyTorch has it, flambeau does not"
    assert lines[1].startswith("ImportError cannot import name 'nonsense' from 'flambeau'")
    assert lines[2:5] == [
        "ModuleNotFoundError No module named 'torch.nonsense'",
        "ModuleNotFoundError No module named 'torch.tensor'",
        "AttributeError module 'flambeau.nn' has no attribute 'nonsense'",
    ]
    assert lines[5].startswith("ImportError cannot import name 'nonsense' from 'flambeau.nn'")
    assert lines[6] == "True"


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    assert python("import sys; print('flambeau' in sys.modules, 'numpy' in sys.modules)") == "False False\n"


def test_devices_that_are_not_there() -> None:
    out = python(
        """
        import torch
        device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
        print(device, torch.backends.mps.is_available(), torch.accelerator.is_available(), torch.ones(2).to(device).cpu())
        """
    )
    assert out == "cpu False False tensor([1., 1.])\n"


def test_child_processes_and_workers(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        textwrap.dedent(
            """
            import multiprocessing, subprocess, sys
            import torch
            from torch.utils.data import DataLoader, Dataset

            class Squares(Dataset):
                def __len__(self):
                    return 4
                def __getitem__(self, index):
                    import torch as inside
                    assert inside.__name__ == "flambeau"
                    return torch.tensor(index) ** 2

            def tell(queue):
                import torch.nn
                queue.put(torch.__name__)

            def say(rank, word):
                print(word, rank, torch.__name__, flush=True)

            if __name__ == "__main__":
                for method in ("spawn", "forkserver", "fork"):
                    context = multiprocessing.get_context(method)
                    queue = context.Queue()
                    child = context.Process(target=tell, args=(queue,))
                    child.start()
                    print(method, queue.get(timeout=50))
                    child.join()
                    print([batch.tolist() for batch in DataLoader(
                        Squares(), batch_size=2, num_workers=1, multiprocessing_context=method)])
                torch.multiprocessing.spawn(say, args=("spawned",), nprocs=1, join=True)
                print(subprocess.run([sys.executable, "-c", "import torch; print(torch.__name__)"],
                                     capture_output=True, text=True).stdout.strip())
            """
        )
    )
    environment = drop_in.environment({**os.environ, "PYTHONPATH": SOURCE})
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=120)
    assert done.stderr == ""
    batches = "[[0, 1], [4, 9]]"
    assert done.stdout.splitlines() == [
        "spawn flambeau", batches, "forkserver flambeau", batches, "fork flambeau", batches, "spawned 0 flambeau", "flambeau",
    ]  # fmt: skip


def test_install_and_uninstall() -> None:
    out = python(
        """
        import os, sys
        sys.path.insert(0, os.environ["SOURCE"])  # a way that child processes do not inherit
        from flambeau import drop_in
        import flambeau, subprocess
        print(drop_in.installed(), flambeau.__version__)
        drop_in.install(); drop_in.install()
        import torch, torch.nn
        print(drop_in.installed(), torch is flambeau, flambeau.__version__)
        print(subprocess.run([sys.executable, "-c", "import torch; print(torch.__name__)"], capture_output=True, text=True).stdout)
        drop_in.uninstall()
        print(drop_in.installed(), flambeau.__version__, [name for name in sys.modules if name.startswith("torch")])
        print("PYTHONPATH" in os.environ)
        """,
        dropped_in=False,
        PYTHONPATH="",
        SOURCE=SOURCE,
    )
    ours, theirs = flambeau_version, f"2.13.0+flambeau{flambeau_version}"
    assert out.split() == ["False", ours, "True", "True", theirs, "flambeau", "False", ours, "[]", "False"]


def test_a_program_may_ask_and_leave() -> None:
    out = python(
        """
        import os, sys, torch
        from flambeau import drop_in
        print(drop_in.installed(), sum(type(each).__name__ == "Finder" for each in sys.meta_path))
        drop_in.install()
        print(drop_in.installed(), sum(type(each).__name__ == "Finder" for each in sys.meta_path))
        drop_in.uninstall()
        print(drop_in.installed(), "torch" in sys.modules, "startup" in os.environ["PYTHONPATH"])
        """
    )
    assert out.splitlines() == ["True 1", "True 1", "False False False"]


def test_a_real_torch_that_is_imported_stays(tmp_path: Path) -> None:
    folder = tmp_path / "torch"
    folder.mkdir()
    (folder / "__init__.py").write_text("who = 'the real one'\n")
    (folder / "part.py").write_text("")
    out = python(
        """
        import torch, torch.part, sys
        from flambeau import drop_in
        try:
            drop_in.install()
        except RuntimeError as error:
            print("imported already" in str(error), drop_in.installed(), torch.who)
        drop_in.install(replace=True)
        import torch as other
        print(other.__name__, "torch.part" in sys.modules)
        drop_in.uninstall()
        import torch as again
        print(again is torch, sys.modules["torch.part"] is torch.part)
        """,
        dropped_in=False,
        PYTHONPATH=f"{SOURCE}{os.pathsep}{tmp_path}",
    )
    assert out.splitlines() == ["True False the real one", "flambeau False", "True True"]


def test_the_environments_own_sitecustomize_runs(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.greeting = 'hello'\n")
    out = python(
        "import sys, sitecustomize, torch; print(sys.greeting, sitecustomize.sys is sys, torch.__name__)",
        PYTHONPATH=f"{tmp_path}{os.pathsep}{SOURCE}",
    )
    assert out == "hello True flambeau\n"


@pytest.mark.parametrize("other", ["2.4", "2.13", "2.13.0", (2, 13), (2, 13, 1), "2.14", "2.13.0+cpu", "2.13.0.dev1", "2.13.0rc1", "word"])
def test_versions_compare_as_pytorchs_do(other: object) -> None:
    theirs = pytest.importorskip("torch.torch_version").TorchVersion("2.13.0+cpu")
    ours = TorchVersion("2.13.0+cpu")
    assert [ours < other, ours <= other, ours == other, ours >= other, ours > other] == [
        theirs < other, theirs <= other, theirs == other, theirs >= other, theirs > other,
    ]  # fmt: skip
