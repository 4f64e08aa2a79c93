"""The command as it is typed: what it prints, and its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import flambeau
from flambeau.cli import main
from flambeau.cli.commands import COMMANDS
from flambeau.cli.running import isolating_option

SOURCE = str(Path(flambeau.__file__).parents[1])


def command(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """`flambeau` with these arguments, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    return subprocess.run(
        [sys.executable, "-m", "flambeau", *arguments], capture_output=True, text=True, env=environment, timeout=60, **options
    )  # type: ignore[call-overload,no-any-return]


def test_help_names_every_command_and_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    alone = capsys.readouterr().out
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == alone
    assert all(f"    {name}" in alone for name in COMMANDS) and "first steps" in alone
    for name, each in COMMANDS.items():
        assert main([name, "--help"]) == 0
        out = capsys.readouterr().out
        assert each.about.splitlines()[0] in out and each.examples in out


def test_what_is_not_understood_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["nonsense"], ["info"], ["lesson", "99"], ["lesson", "x"], ["bench", "nonsense"], ["completion", "csh"]):
        assert main(arguments) == 2, arguments
        assert "flambeau" in capsys.readouterr().err


def test_run_is_python(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    (tmp_path / "beside.py").write_text("value = 5\n")
    script.write_text(
        "import sys, torch, beside\n"
        "print(torch.__name__, __name__, sys.argv[1:], beside.value, __file__)\n"
        "sys.exit(int(sys.argv[1]))\n"
    )
    done = command("run", str(script), "7", "--option")
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout == f"flambeau __main__ ['7', '--option'] 5 {script}\n"
    done = command("run", "-m", "beside", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    done = command("run", "-c", "import torch; print(torch.ones(2).sum())")
    assert (done.returncode, done.stdout) == (0, "tensor(2.)\n")
    done = command("run", "-", input="import torch\nprint(torch.pi)")
    assert done.stdout == "3.141592653589793\n"


def test_run_shows_the_programs_own_traceback() -> None:
    done = command("run", "-c", "import torch\ntorch.ones(2) @ torch.ones(3)")
    assert done.returncode == 1
    assert done.stderr.startswith('Traceback (most recent call last):\n  File "<string>", line 2, in <module>\n')
    assert "cli" not in done.stderr
    assert command("run", "no-such-file.py").returncode == 2


@pytest.mark.parametrize("options", [["-I"], ["-uE"], ["-X", "dev", "-S"], ["-Wignore", "-I"]])
def test_options_that_would_hide_flambeau_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *options, "program.py"]) == 2
    assert "ignore flambeau" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["p.py", "-I"], ["-c", "1", "-E"], ["-mS"], ["-X", "-I"], ["-WI"], ["-", "-S"], []])
def test_other_options_are_not(arguments: list[str]) -> None:
    assert isolating_option(arguments) is None


def test_a_reader_that_stops_reading_is_no_error() -> None:
    script = f"{sys.executable} -m flambeau lesson 2 --show | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {script}"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": SOURCE}
    )
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from flambeau.cli import doctor

    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "Everything works." in out and f"get_num_threads()      {flambeau.get_num_threads()}" in out
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert set(facts["checks"]) == set(doctor.CHECKS) and set(facts["checks"].values()) == {"ok"}


def test_doctor_tells_what_is_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from flambeau.cli import doctor

    monkeypatch.setitem(doctor.CHECKS, "sums", lambda: (1 + 1, 3))
    monkeypatch.setitem(doctor.CHECKS, "divisions", lambda: (1 // 0, 0))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAILED: 2 instead of 3" in out and "FAILED: ZeroDivisionError" in out and "2 of " in out


def test_bench(capsys: pytest.CaptureFixture[str]) -> None:
    threads = flambeau.get_num_threads()
    assert main(["bench", "call", "linear", "--seconds", "0.02", "--alone", "--threads", "1"]) == 0
    flambeau.set_num_threads(threads)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("1 threads each") and [line.split()[:2] for line in lines[1:]] == [
        ["call", "flambeau"], ["linear", "flambeau"],
    ]  # fmt: skip


def test_bench_programs_give_pytorchs_numbers() -> None:
    torch = pytest.importorskip("torch")
    from flambeau.cli.bench_programs import PROGRAMS

    for name in ("call", "linear", "mlp", "cnn", "attention"):
        ours, theirs = PROGRAMS[name](flambeau), PROGRAMS[name](torch)
        for _ in range(2):
            assert ours() == pytest.approx(theirs(), rel=1e-3, abs=1e-3), name


@pytest.mark.parametrize("words, complete", [
    (["flambeau", "do"], {"doctor"}),
    (["flambeau", "lesson", "--"], {"--show", "--notebook", "--out", "--root", "--quick", "--help"}),
    (["flambeau", "completion", ""], {"bash", "zsh", "fish"}),
])  # fmt: skip
def test_completion_in_bash(words: list[str], complete: set[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    quoted = " ".join(f"'{word}'" for word in words)
    ask = f'{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _flambeau; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True)
    assert set(done.stdout.split()) == complete, done.stderr


def test_completion_for_the_other_shells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "fish"]) == 0 and main(["completion", "zsh"]) == 0
    out = capsys.readouterr().out
    assert "__fish_seen_subcommand_from lesson' -l show" in out and "bashcompinit" in out
