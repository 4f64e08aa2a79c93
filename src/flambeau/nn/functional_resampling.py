"""Resizing images and sampling them at given places."""

from __future__ import annotations

import warnings
from typing import Any

from ..autograd.plans import called
from ..core.names import scalar_name
from ..core.sizes import Size
from ..operators.grid_sampling import affine_grid as _affine_grid, grid_sample as _grid_sample
from ..operators.resampling import resample

GRID_SAMPLE_INTERPOLATION_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
GRID_SAMPLE_PADDING_MODES = {"zeros": 0, "border": 1, "reflection": 2}

_MODES = {
    "nearest": "nearest", "nearest-exact": "nearest-exact", "linear": "linear", "bilinear": "linear",
    "trilinear": "linear", "bicubic": "cubic",
}  # fmt: skip
_NAMES = {"nearest": "Nearest", "nearest-exact": "NearestExact", "bicubic": "Bicubic"}
_RANKS = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Any:  # fmt: skip
    """Resizes (N, C, L), (N, C, H, W) or (N, C, D, H, W) to ``size`` or by ``scale_factor``.

    ``mode`` is nearest, nearest-exact, linear (3-D input), bilinear, bicubic (4-D), trilinear (5-D) or area. With
    ``align_corners`` the centres of the corner pixels stay where they are, else the corners of the corner pixels.

    >>> import flambeau as torch
    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    rank = input.dim() - 2
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
            )
    elif align_corners is None:
        align_corners = False
    sizes = tuple(input.shape[2:])
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    scales: Any = None
    if size is not None:
        wanted = _for_each(size, rank, "size", "output", input)
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    else:
        scales = _for_each(scale_factor, rank, "scale_factor", "scale_factor", input)
        wanted = tuple(int(float(n) * scale) for n, scale in zip(sizes, scales))
        if recompute_scale_factor:
            scales = None
    if antialias and not (mode in ("bilinear", "bicubic") and input.dim() == 4):
        raise ValueError("Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input")
    if mode not in _MODES and mode != "area":
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{input.dim()}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got "
            f"{mode})"
        )
    if rank not in (1, 2, 3) or (mode in _RANKS and _RANKS[mode] != rank):
        if rank in (1, 2, 3):
            needed = {"linear": "3D", "bilinear": "4D", "bicubic": "4D", "trilinear": "5D"}[mode]
            raise NotImplementedError(f"Got {input.dim()}D input, but {mode} mode needs {needed} input")
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.dim()}D) for the modes: nearest | linear | "
            f"bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )
    if min(wanted) <= 0 or min(sizes) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({', '.join(map(str, sizes))}) output "
            f"({', '.join(map(str, wanted))})"
        )
    kind = input.dtype
    if not kind.is_floating_point and not (kind.name == "uint8" and mode != "area"):
        name = "adaptive_avg_pool" if mode == "area" else f"upsample_{mode.replace('-', '_')}{rank}d"
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(kind)}'")
    if mode == "area":
        from . import functional_pooling

        return getattr(functional_pooling, f"adaptive_avg_pool{rank}d")(input, wanted)
    how = _MODES[mode] + ("-smooth" if antialias else "")
    axes = []
    for k, (n, o) in enumerate(zip(sizes, wanted)):
        if align_corners:
            step = (n - 1) / (o - 1) if o > 1 else 0.0
        else:
            step = 1.0 / scales[k] if scales is not None and scales[k] > 0 else n / o
        axes.append((rank - k, how, n, o, float(step), bool(align_corners)))
    name = _NAMES.get(mode, mode.capitalize())
    if all(n == o for n, o in zip(sizes, wanted)) and how == "linear" and scales is None:
        return called(input.clone(), f"Upsample{name}{rank}DBackward0")
    return resample(input, tuple(axes), f"Upsample{name}{rank}D{'Aa' if antialias else ''}Backward0")


def _for_each(value: Any, rank: int, name: str, what: str, input: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        return (value,) * rank
    if len(value) != rank:
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with spatial dimensions of "
            f"{list(input.shape[2:])} and {'output ' if name == 'size' else ''}{name} of {value}. "
            + ("Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
               if name == "size" else
               "Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format.")
        )  # fmt: skip
    return tuple(value)


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """The former name of :func:`interpolate`."""
    warnings.warn(
        "`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """:func:`interpolate` to the nearest pixel."""
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """:func:`interpolate` bilinearly, with aligned corners."""
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """Values of (N, C, H, W) at the places (x, y) of grid (N, H', W', 2), -1 and 1 being the borders; also in 3-D.

    Jaderberg et al., "Spatial transformer networks", 2015.
    """
    if mode not in GRID_SAMPLE_INTERPOLATION_MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in GRID_SAMPLE_PADDING_MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
            stacklevel=2,
        )
    return _grid_sample(input, grid, mode, padding_mode, bool(align_corners))


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The grid for :func:`grid_sample` that samples ``size`` = (N, C, H, W) under the affine maps theta (N, 2, 3); also 3-D.

    >>> import flambeau as torch
    >>> torch.nn.functional.affine_grid(torch.eye(2, 3).unsqueeze(0), [1, 1, 1, 2], align_corners=True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
            stacklevel=2,
        )
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    size = [int(each) for each in size]
    for rank in (2, 3):
        if len(size) == rank + 2 and (theta.dim() != 3 or tuple(theta.shape[1:]) != (rank, rank + 1)):
            raise ValueError(
                f"Expected a batch of {rank}D affine matrices of shape Nx{rank}x{rank + 1} for size {Size(size)}. Got {theta.shape}."
            )
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{tuple(size)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    return _affine_grid(theta, size, bool(align_corners))
