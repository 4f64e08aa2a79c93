"""The bilinear map x₁ᵀ A x₂ + b."""

from __future__ import annotations

from typing import Any

from .declaration import composite, functions


def _check(input1: Any, input2: Any, weight: Any, bias: Any) -> None:
    kinds = {"input1": input1.dtype, "input2": input2.dtype, "weight": weight.dtype}
    if len(set(kinds.values())) > 1:
        found = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
        raise RuntimeError(f"bilinear(): All tensors must have the same dtype, got {found}")
    if input1.dim() != input2.dim():
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}")
    for place, (one, other) in enumerate(zip(input1.shape[:-1], input2.shape[:-1])):
        if one != other:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {place}: got {one} and {other}")
    if weight.dim() != 3:
        raise IndexError(f"bilinear(): weight must have 3 dimensions (out, in1, in2), but has shape {list(weight.shape)}")
    for name, each, axis in (("input1", input1, 1), ("input2", input2, 2)):
        if each.shape[-1] != weight.shape[axis]:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {each.shape[-1]} but expected {weight.shape[axis]}"
            )
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected {weight.shape[0]}"
        )


@composite(method=False)
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y[…, k] = Σᵢⱼ input1[…, i] weight[k, i, j] input2[…, j] + bias[k].

    Args:
        input1: (*, in1).
        input2: (*, in2).
        weight: (out, in1, in2).
        bias: (out) or None.

    Raises:
        RuntimeError: sizes or dtypes do not fit.

    >>> import flambeau as torch
    >>> torch.bilinear(torch.ones(5, 2), torch.ones(5, 3), torch.ones(4, 2, 3)).shape
    torch.Size([5, 4])
    """
    _check(input1, input2, weight, bias)
    out, first, second = weight.shape
    batch = input1.shape[:-1]
    count = batch.numel()
    # The weight is the largest operand: one matrix product meets it; the second input joins by a small one per row.
    flat = functions["matmul"](input1.reshape((count, first)), weight.transpose(0, 1).reshape((first, out * second)))
    products = functions["matmul"](flat.view((count, out, second)), input2.reshape((count, second, 1)))
    result = products.view((*batch, out))
    return result if bias is None else result + bias
