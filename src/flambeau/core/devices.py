"""``device``: where a tensor's memory lies. The reference and native tiers run on the CPU."""

from __future__ import annotations

from typing import Any

_TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy",
    "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip


class device:
    """A device: its type and, where given, its index. Usable as a context manager that sets the default device.

    >>> import flambeau as torch
    >>> torch.device("cuda:1")
    device(type='cuda', index=1)

    Raises:
        RuntimeError: the type is not one PyTorch knows, or the index is not a number.
    """

    __slots__ = ("_previous", "index", "type")

    type: str
    index: int | None

    def __init__(self, type: str | int | device, index: int | None = None) -> None:
        if isinstance(type, device):
            self.type, self.index = type.type, type.index if index is None else index
            return
        if isinstance(type, int) and not isinstance(type, bool):
            self.type, self.index = "cuda", type
            return
        if not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' must be str, not {type.__class__.__name__}")
        kind, colon, number = type.partition(":")
        if kind not in _TYPES:
            raise RuntimeError(
                f"Expected one of {', '.join(_TYPES)} device type at start of device string: {kind}"
            )
        if colon:
            if not number.isdigit() or index is not None:
                raise RuntimeError(f"Invalid device string: '{type}'")
            index = int(number)
        self.type, self.index = kind, index

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, device) and self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> Any:
        return device, (self.type,) if self.index is None else (self.type, self.index)

    def __enter__(self) -> device:
        self._previous = default_device()
        set_default_device(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        set_default_device(self._previous)


cpu = device("cpu")
meta = device("meta")


class _Default:
    """The process-wide default device; a holder, so that every module sees a change."""

    device: device = cpu


def default_device() -> device:
    """The device on which creation operators put tensors when none is named."""
    return _Default.device


def set_default_device(wanted: device | str | None) -> None:
    """Make ``wanted`` the device of newly created tensors; ``None`` means the CPU."""
    _Default.device = cpu if wanted is None else find(wanted)


def find(wanted: Any, memory: bool = True) -> device:
    """The device that ``wanted`` (a device, a string, an index or None) names, when this build has it.

    ``memory``: numbers are to lie there. Files may hold tensors on the meta device, which has no memory; operators do not
    compute on it.

    Raises:
        RuntimeError: no such device here.
    """
    if wanted is None:
        return _Default.device
    found = wanted if isinstance(wanted, device) else device(wanted)
    if found.type == "cpu":
        return cpu
    if found.type == "meta":
        if memory:
            raise RuntimeError("flambeau computes no shapes without numbers on the meta device; use device='cpu'")
        return meta
    if found.type == "cuda":
        raise AssertionError("Torch not compiled with CUDA enabled (flambeau runs on the CPU: use device='cpu')")
    raise RuntimeError(f"flambeau has no {found.type} device here; use device='cpu'")
