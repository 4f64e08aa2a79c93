"""Matrix products of groups, and of matrices stored with scaling factors."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ..core.dtypes import bfloat16, float32
from ..operators.declaration import functions

_DEFAULT_DTYPE = bfloat16


class ScalingType(Enum):
    """Which elements share a scaling factor."""

    TensorWise = 0
    RowWise = 1
    BlockWise1x16 = 2
    BlockWise1x32 = 3
    BlockWise1x128 = 4
    BlockWise128x128 = 5


class SwizzleType(Enum):
    """How the scaling factors are permuted in memory."""

    NO_SWIZZLE = 0
    SWIZZLE_32_4_4 = 1


_BLOCKS = {
    ScalingType.BlockWise1x16: (1, 16), ScalingType.BlockWise1x32: (1, 32), ScalingType.BlockWise1x128: (1, 128),
    ScalingType.BlockWise128x128: (128, 128),
}  # fmt: skip


def grouped_mm(mat_a: Any, mat_b: Any, *, offs: Any = None, bias: Any = None, out_dtype: Any = None) -> Any:
    """Products of corresponding groups of two operands.

    A 3-D operand lists its groups; a 2-D one is cut into groups at ``offs``, their ends: along its rows beside a 3-D
    ``mat_b``, along its columns beside a 3-D ``mat_a``, along the summed dimension if both are 2-D.

    >>> import flambeau as torch
    >>> a, b, ends = torch.ones(3, 2), torch.ones(2, 2, 4), torch.tensor([1, 3], dtype=torch.int32)
    >>> torch.nn.functional.grouped_mm(a, b, offs=ends).shape
    torch.Size([3, 4])
    """
    if mat_a.dim() not in (2, 3) or mat_b.dim() not in (2, 3):
        raise RuntimeError(f"grouped_mm: operands must be 2D or 3D, got {list(mat_a.shape)} and {list(mat_b.shape)}")
    if (offs is None) != (mat_a.dim() == 3 == mat_b.dim()):
        raise RuntimeError("grouped_mm: offs is needed where an operand is 2D, and only there")
    if offs is None:
        result = mat_a @ mat_b
    else:
        ends = offs.tolist()
        spans = list(zip([0, *ends[:-1]], ends))
        if mat_a.dim() == 2 == mat_b.dim():
            parts = [mat_a[:, start:end] @ mat_b[start:end] for start, end in spans]
            result = functions["stack"](parts)
        elif mat_a.dim() == 2:
            parts = [mat_a[start:end] @ mat_b[k] for k, (start, end) in enumerate(spans)]
            rest = mat_a.new_zeros(mat_a.shape[0] - ends[-1], mat_b.shape[-1])
            result = functions["cat"]([*parts, rest], 0)
        else:
            parts = [mat_a[k] @ mat_b[:, start:end] for k, (start, end) in enumerate(spans)]
            rest = mat_a.new_zeros(mat_a.shape[-2], mat_b.shape[-1] - ends[-1])
            result = functions["cat"]([*parts, rest], -1)
    result = result if bias is None else result + bias
    return result if out_dtype is None else result.to(out_dtype)


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, (list, tuple)) else value


def _decoded(matrix: Any, scale: Any, recipe: Any, swizzle: Any, transposed: bool) -> Any:
    """The matrix in float32, each element times its scaling factor; blocks run along the summed dimension."""
    if swizzle is not None and _only(swizzle) is not SwizzleType.NO_SWIZZLE:
        raise ValueError("scaled_mm: swizzled scaling factors are a layout for GPUs; give them as NO_SWIZZLE")
    scale, recipe = _only(scale).to(float32), _only(recipe)
    wide = matrix.to(float32)
    if recipe is ScalingType.TensorWise or scale.numel() == 1:
        return wide * scale.reshape(())
    rows, columns = wide.shape[-2:]
    if recipe is ScalingType.RowWise:
        shape = (1, columns) if transposed else (rows, 1)
        return wide * (scale.reshape(*wide.shape[:-2], *shape) if wide.dim() > 2 else scale.reshape(shape))
    high, long = _BLOCKS[recipe]
    if transposed:
        factors = scale.reshape(-(-columns // high), -(-rows // long)).t()
        high, long = long, high
    else:
        factors = scale.reshape(-(-rows // high), -(-columns // long))
    factors = factors.repeat_interleave(high, 0)[:rows].repeat_interleave(long, 1)[:, :columns]
    return wide * factors


def scaled_mm(
    mat_a: Any, mat_b: Any, scale_a: Any, scale_recipe_a: Any, scale_b: Any, scale_recipe_b: Any, swizzle_a: Any = None,
    swizzle_b: Any = None, bias: Any = None, output_dtype: Any = _DEFAULT_DTYPE, contraction_dim: Any = (),
    use_fast_accum: bool = False,
) -> Any:  # fmt: skip
    """(scale_a·mat_a) @ (scale_b·mat_b) for matrices stored in few bits, computed in float32."""
    left = _decoded(mat_a, scale_a, scale_recipe_a, swizzle_a, False)
    right = _decoded(mat_b, scale_b, scale_recipe_b, swizzle_b, True)
    result = left @ right
    result = result if bias is None else result + bias.to(float32)
    return result if output_dtype is None else result.to(output_dtype)


def scaled_grouped_mm(
    mat_a: Any, mat_b: Any, scale_a: Any, scale_recipe_a: Any, scale_b: Any, scale_recipe_b: Any, swizzle_a: Any = None,
    swizzle_b: Any = None, bias: Any = None, offs: Any = None, output_dtype: Any = _DEFAULT_DTYPE,
    contraction_dim: Any = (), use_fast_accum: bool = False,
) -> Any:  # fmt: skip
    """:func:`grouped_mm` of matrices stored in few bits with scaling factors."""
    left = _decoded(mat_a, scale_a, scale_recipe_a, swizzle_a, False)
    right = _decoded(mat_b, scale_b, scale_recipe_b, swizzle_b, True)
    return grouped_mm(left, right, offs=offs, bias=None if bias is None else bias.to(float32), out_dtype=output_dtype)
