"""Models and weights from the network: downloads with a checksum, and entry points of repositories.

A repository offers models through functions in its ``hubconf.py``. Running it runs its author's code; ``trust_repo`` asks.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import warnings
from typing import Any

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

#: A file name that ends in the first digits of its checksum: ``resnet18-f37072fd.pth``.
_HASH = re.compile(r"-([a-f0-9]*)\.")
_CHUNK = 1 << 17
_chosen_directory: str | None = None


def get_dir() -> str:
    """Where downloads are kept: what ``set_dir`` said, else ``$TORCH_HOME/hub``, else ``~/.cache/torch/hub``.

    The folder is PyTorch's, so that what it downloaded need not be downloaded again.
    """
    if _chosen_directory is not None:
        return _chosen_directory
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "torch")
    return os.path.join(os.path.expanduser(os.environ.get("TORCH_HOME", cache)), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Keep downloads in ``d``."""
    global _chosen_directory
    _chosen_directory = os.path.expanduser(d)


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Download ``url`` to the file ``dst``, which appears whole or not at all.

    Args:
        hash_prefix: the first digits of the SHA-256 the content must have.
        progress: show how far it is on stderr.

    Raises:
        RuntimeError: the content has another checksum, or ends too early.
        urllib.error.URLError: the server cannot be reached.
    """
    import tempfile

    dst = os.path.expanduser(dst)
    digest = hashlib.sha256()
    with _opened(url, dst) as source:
        total = source.headers.get("Content-Length")
        # Beside its destination, so that moving it there is one step.
        handle, partial = tempfile.mkstemp(prefix=os.path.basename(dst) + ".", suffix=".partial", dir=os.path.dirname(dst) or ".")
        try:
            with os.fdopen(handle, "wb") as file:
                done = 0
                while chunk := source.read(_CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    if progress:
                        _show(done, total)
            if progress:
                sys.stderr.write("\n")
            if total is not None and done != int(total):
                raise RuntimeError(f"{url} ended after {done} of {total} bytes: the connection broke; download it again")
            found = digest.hexdigest()
            if hash_prefix is not None and found[: len(hash_prefix)] != hash_prefix:
                raise RuntimeError(
                    f'invalid hash value (expected "{hash_prefix}", got "{found}"): {url} is not the file it should be; '
                    "download it again"
                )
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(partial, 0o666 & ~mask)
            os.replace(partial, dst)
        except BaseException:
            if os.path.exists(partial):
                os.unlink(partial)
            raise


def _opened(url: str, dst: str) -> Any:
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    try:
        return urlopen(Request(url, headers={"User-Agent": "flambeau.hub"}))
    except HTTPError:
        raise  # the server's own answer says what is wrong
    except URLError as error:
        raise URLError(f"{url} cannot be reached ({error.reason}). Without a network, put the file at {dst}") from None


def _show(done: int, total: str | None) -> None:
    part = f"{100 * done / int(total):5.1f} % of {int(total) / 1e6:.1f} MB" if total else f"{done / 1e6:.1f} MB"
    sys.stderr.write(f"\r{part}")
    sys.stderr.flush()


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """What ``flambeau.load`` finds in the file at ``url``, downloaded once to ``model_dir`` (``get_dir()/checkpoints``).

    Args:
        check_hash: compare with the digits in the file's name, ``name-<first digits of its SHA-256>.pth``.
        weights_only: as for ``flambeau.load``.
    """
    from urllib.parse import urlparse

    from .serialization import load as load_file

    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    os.makedirs(folder, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        sys.stderr.write(f'Downloading: "{url}" to {path}\n')
        found = _HASH.search(name) if check_hash else None
        download_url_to_file(url, path, found.group(1) if found else None, progress)
    return load_file(path, map_location=map_location, weights_only=weights_only)


# -- repositories ------------------------------------------------------------------------------------------------------


def _repository(name: str, source: str, trust_repo: Any, force_reload: bool, verbose: bool) -> str:
    if source == "local":
        return name
    if source != "github":
        raise ValueError(f'Unknown source: "{source}". Allowed values: "github" | "local".')
    repository, _, reference = name.partition(":")
    if repository.count("/") != 1:
        raise ValueError(f'"{name}" is not a repository: write "owner/name" or "owner/name:branch"')
    owner, _, short = repository.partition("/")
    reference = reference or "main"
    folder = os.path.join(get_dir(), "_".join((owner, short, reference.replace("/", "_"))))
    _check_trust(owner, short, folder, trust_repo)
    if os.path.exists(folder) and not force_reload:
        if verbose:
            sys.stderr.write(f"Using cache found in {folder}\n")
        return folder
    _fetch(f"https://github.com/{owner}/{short}/zipball/{reference}", folder)
    return folder


def _check_trust(owner: str, short: str, folder: str, trust_repo: Any) -> None:
    path = os.path.join(get_dir(), "trusted_list")
    trusted: set[str] = set()
    if os.path.exists(path):
        with open(path) as file:
            trusted = {line.strip() for line in file}
    entry = f"{owner}_{short}"
    if trust_repo is not True and (entry in trusted or os.path.exists(folder)):
        return
    if trust_repo is None:
        warnings.warn(f"You are about to download and run code from an untrusted repository ({owner}/{short}).", stacklevel=4)
        return
    if trust_repo in (False, "check"):
        answer = input(f"The repository {owner}/{short} is not on your list of trusted ones. Run its code? (y/N)")
        if answer.strip().lower() not in ("y", "yes"):
            raise Exception("Untrusted repository.")  # PyTorch's type
    elif trust_repo is not True:
        raise ValueError(f"trust_repo must be True, False, None or 'check', not {trust_repo!r}")
    if entry not in trusted:
        os.makedirs(get_dir(), exist_ok=True)
        with open(path, "a") as file:
            file.write(entry + "\n")


def _fetch(url: str, folder: str) -> None:
    import tempfile
    import zipfile

    os.makedirs(get_dir(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=get_dir()) as scratch:
        archive = os.path.join(scratch, "repository.zip")
        download_url_to_file(url, archive, progress=False)
        with zipfile.ZipFile(archive) as file:
            file.extractall(scratch)
            top = file.infolist()[0].filename.split("/")[0]
        if os.path.exists(folder):
            shutil.rmtree(folder)
        os.replace(os.path.join(scratch, top), folder)


def _hubconf(folder: str) -> Any:
    from importlib.util import module_from_spec, spec_from_file_location

    path = os.path.join(folder, "hubconf.py")
    found = spec_from_file_location("hubconf", path)
    if found is None or found.loader is None or not os.path.exists(path):
        raise RuntimeError(f"{folder} has no hubconf.py, which would say what it offers")
    module = module_from_spec(found)
    sys.path.insert(0, folder)
    try:
        found.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    missing = [each for each in getattr(module, "dependencies", []) if not _installed(each)]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    return module


def _installed(package: str) -> bool:
    from importlib.util import find_spec

    return package in sys.modules or find_spec(package) is not None


def _entry(module: Any, name: str) -> Any:
    found = getattr(module, name, None) if isinstance(name, str) else None
    if not isinstance(name, str):
        raise ValueError("Invalid input: model should be a string of function name")
    if not callable(found):
        raise RuntimeError(f"Cannot find callable {name} in hubconf")
    return found


def load(
    repo_or_dir: str, model: str, *args: Any, source: str = "github", trust_repo: Any = "check", force_reload: bool = False,
    verbose: bool = True, skip_validation: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """The model that the entry point ``model`` of a repository makes of ``args``.

    Args:
        repo_or_dir: "owner/name[:branch]" on GitHub, or with ``source="local"`` a folder.
    """
    folder = _repository(str(repo_or_dir), source.lower(), trust_repo, force_reload, verbose)
    return _entry(_hubconf(folder), model)(*args, **kwargs)


def list(
    github: str, force_reload: bool = False, skip_validation: bool = False, trust_repo: Any = "check", verbose: bool = True
) -> Any:
    """The names of a repository's entry points."""
    source = "local" if os.path.isdir(github) else "github"
    module = _hubconf(_repository(github, source, trust_repo, force_reload, verbose))
    return [name for name in dir(module) if callable(getattr(module, name)) and not name.startswith("_")]


def help(
    github: str, model: str, force_reload: bool = False, skip_validation: bool = False, trust_repo: Any = "check"
) -> Any:
    """The docstring of an entry point."""
    source = "local" if os.path.isdir(github) else "github"
    return _entry(_hubconf(_repository(github, source, trust_repo, force_reload, True)), model).__doc__
