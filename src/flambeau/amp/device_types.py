"""The names of device types that PyTorch knows."""

from __future__ import annotations

DEVICE_TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy",
    "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip
_AUTOCASTABLE = ("cpu", "cuda", "mtia", "maia", "xpu", "ipu", "hpu", "xla", "privateuseone", "mps")


def check_device_type(device_type: str) -> None:
    """Refuse what is not a device type's name."""
    if device_type not in DEVICE_TYPES:
        raise RuntimeError(
            f"Expected one of {', '.join(DEVICE_TYPES)} device type at start of device string: {device_type}"
        )


def has_autocast(device_type: str) -> bool:
    """Whether autocasting is defined for a device type, whether or not there is such a device."""
    check_device_type(device_type)
    return device_type in _AUTOCASTABLE
