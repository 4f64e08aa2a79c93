"""The helpers of data sets under torchvision's name for their home."""

from __future__ import annotations

import os

from .archives import extract_archive
from .arguments import iterable_to_str, verify_str_arg
from .checksums import calculate_md5, check_integrity, check_md5
from .downloading import USER_AGENT, download_and_extract_archive, download_url

__all__ = [
    "USER_AGENT", "calculate_md5", "check_integrity", "check_md5", "download_and_extract_archive", "download_url",
    "extract_archive", "iterable_to_str", "list_dir", "list_files", "verify_str_arg",
]  # fmt: skip


def list_dir(root: str | os.PathLike[str], prefix: bool = False) -> list[str]:
    """The names of the folders in ``root``; with ``prefix`` their paths."""
    root = os.path.expanduser(root)
    found = [name for name in os.listdir(root) if os.path.isdir(os.path.join(root, name))]
    return [os.path.join(root, name) for name in found] if prefix else found


def list_files(root: str | os.PathLike[str], suffix: str, prefix: bool = False) -> list[str]:
    """The names of the files in ``root`` that end in ``suffix``; with ``prefix`` their paths."""
    root = os.path.expanduser(root)
    found = [name for name in os.listdir(root) if name.endswith(suffix) and os.path.isfile(os.path.join(root, name))]
    return [os.path.join(root, name) for name in found] if prefix else found
