"""Where the real data is: the folder that FLAMBEAU_DATA names, else ``shared/data`` beside the repository."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data sets; tests that need it skip without."""
    folder = Path(os.environ.get("FLAMBEAU_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets in {folder}; set FLAMBEAU_DATA")
    return folder
