"""Listing, running, showing and converting lessons. What the lessons say is tested elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flambeau.cli import lessons, main, running
from flambeau.cli.notebook import cells, notebook

SCRIPT = '''"""A title

More of the text.
"""
# %% [markdown]
# ## A heading
#
# A text with `code`.

# %%
import argparse

x = 1


def f():
    return x
# %% a name
print(f())
'''


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course of one lesson with two variants and one without."""
    folder = tmp_path / "package" / "lessons"
    folder.mkdir(parents=True)
    (folder / "02_numbers.py").write_text(SCRIPT)
    for variant in "ab":
        (folder / f"05{variant}_way.py").write_text(
            f'"""Way {variant}."""\nimport sys\nimport torch\n"--root"\nprint("{variant}", torch.__name__, sys.argv[1:])\n'
            f'sys.exit({3 if variant == "b" else 0})\n'
        )
    (folder / "shared.py").write_text("")
    monkeypatch.setattr(lessons, "_PACKAGE", tmp_path / "package")
    return folder


def test_the_course_of_this_project_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson"]) == 0
    out = capsys.readouterr().out
    assert "   1  Installation and check\n" in out and "  5a  " in out
    assert main(["lesson", "1", "--show"]) == 0
    assert capsys.readouterr().out == (lessons.folder() / "01_installation.py").read_text()


def test_list(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == ["   2  A title", "  5a  Way a", "  5b  Way b"]


def test_choice(course: Path) -> None:
    assert [[each.name for each in lessons.chosen_lessons(name)] for name in ("2", "02", "5", "5b", "05A")] == [
        ["2"], ["2"], ["5a", "5b"], ["5b"], ["5a"],
    ]  # fmt: skip


def test_variants_run_in_order_until_one_fails(course: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "5", "--root", "/data", "--quick", "--", "--more"]) == 3
    captured = capfd.readouterr()
    assert captured.out.splitlines() == [
        "—— lesson 5a: Way a ——", "a flambeau ['--root', '/data', '--more']",
        "—— lesson 5b: Way b ——", "b flambeau ['--root', '/data', '--more']",
    ]  # fmt: skip
    assert captured.err.splitlines() == ["flambeau: lesson 5a has no --quick", "flambeau: lesson 5b has no --quick"]


def test_pictures_go_where_they_are_asked_for(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flambeau", "lesson", "5a", "--out", str(tmp_path / "new")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["05a_loss.png"]


@pytest.mark.parametrize("number", ["14", "15"])
def test_data_that_are_not_there_are_named(number: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flambeau", "lesson", number, "--root", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert f"there is no folder cifar-10-batches-py in {tmp_path}" in done.stderr and "Traceback" not in done.stderr


def test_one_lesson_takes_the_place_of_the_command(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr(running, "run", lambda arguments: given.append(arguments) or 4)
    assert main(["lesson", "2"]) == 4
    assert given == [[str(course / "02_numbers.py")]]


def test_cells_are_texts_and_code() -> None:
    assert cells(SCRIPT) == [
        ("markdown", "# A title\n\nMore of the text."), ("markdown", "## A heading\n\nA text with `code`."),
        ("code", "import argparse\n\nx = 1\n\n\ndef f():\n    return x"), ("code", "print(f())"),
    ]  # fmt: skip


def test_notebooks_run(course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "deep" / "mine.ipynb"
    assert main(["lesson", "2", "--notebook", str(file)]) == 0
    content = json.loads(file.read_text())
    assert (content["nbformat"], content["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in content["cells"]}) == len(content["cells"])
    names: dict[str, object] = {}
    code = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    # Jupyter's own arguments are not the lesson's.
    assert code[0] == "import sys\n\nsys.argv = ['02_numbers']  # its options would follow here"
    capsys.readouterr()
    for each in code[1:]:
        exec(each, names)
    assert capsys.readouterr().out == "1\n"


def test_notebooks_of_variants_go_into_a_folder(course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lesson", "5", "--notebook", str(tmp_path / "one.ipynb")]) == 2
    assert main(["lesson", "5", "--notebook", str(tmp_path / "folder")]) == 0
    assert sorted(each.name for each in (tmp_path / "folder").iterdir()) == ["05a_way.ipynb", "05b_way.ipynb"]


def test_notebooks_of_this_course_are_whole() -> None:
    for each in lessons.lessons():
        script = each.path.read_text()
        content = json.loads(notebook(script, each.path.stem))
        code = "\n".join("".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code")
        compile(code, each.path.name, "exec")
        assert content["cells"][0]["source"][0].startswith(f"# {each.title}")


def test_no_lessons_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(lessons, "_PACKAGE", tmp_path / "a" / "b" / "c")
    assert main(["lesson"]) == 1
    assert "install flambeau again" in capsys.readouterr().err
