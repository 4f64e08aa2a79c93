"""``einsum``: sums of products spelled with one letter a dimension."""

from __future__ import annotations

from typing import Any

from .contraction import bmm
from .declaration import composite

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@composite(method=False)
def einsum(equation: Any, *operands: Any) -> Any:
    """The sum of products named by ``equation``, as ``"bij,bjk->bik"``; an ellipsis stands for broadcast dimensions.

    Operands are contracted from left to right, each pair as one batched matrix product.

    Raises:
        RuntimeError: the equation does not fit the operands.

    >>> import flambeau as torch
    >>> torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    if not operands:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if not isinstance(equation, str):
        equation, operands = _from_lists((equation, *operands))
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    terms, output = _parse(equation, operands)
    sizes: dict[str, int] = {}
    for place, (term, each) in enumerate(zip(terms, operands)):
        for letter, size in zip(term, each._spec.shape):
            known = sizes.setdefault(letter, size)
            if known == 1:
                sizes[letter] = size
            elif size not in (1, known):
                raise RuntimeError(
                    f"einsum(): subscript {letter} has size {size} for operand {place} which does not broadcast with previously seen "
                    f"size {known}"
                )
    aligned = [_single(each, term) for each, term in zip(operands, terms)]
    result, letters = aligned[0]
    for k, (other, more) in enumerate(aligned[1:], 1):
        needed = set(output).union(*(set(term) for _, term in aligned[k + 1 :]))
        result, letters = _pair(result, letters, other, more, needed)
    summed = [axis for axis, letter in enumerate(letters) if letter not in output]
    if summed:
        result = result.sum(summed, dtype=result._spec.dtype)
        letters = "".join(letter for letter in letters if letter in output)
    order = tuple(letters.index(letter) for letter in output if letter in letters)
    return result.permute(order) if order != tuple(range(len(order))) else result


def _parse(equation: str, operands: Any) -> tuple[list[str], str]:
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        more = "fewer" if len(terms) > len(operands) else "more"
        raise RuntimeError(f"einsum(): {more} operands were provided than specified in the equation")
    for letter in left.replace("...", "").replace(",", "") + right.replace("...", ""):
        if letter not in _LETTERS:
            raise RuntimeError(f"einsum(): invalid subscript given at index {text.index(letter)} in the equation string, "
                               "subscripts must be in [a-zA-Z]")  # fmt: skip
    free = [chr(0x3B1 + k) for k in range(24)]  # letters for the dimensions under an ellipsis
    widest, expanded = 0, []
    for k, (term, each) in enumerate(zip(terms, operands)):
        rank = each._spec.ndim
        if "..." in term:
            count = rank - len(term) + 3
            if count < 0:
                raise RuntimeError(
                    f"einsum(): the number of subscripts in the equation ({len(term) - 3}) is more than the number of "
                    f"dimensions ({rank}) for operand {k}"
                )
            widest = max(widest, count)
            expanded.append((term, count))
        else:
            if rank != len(term):
                raise RuntimeError(
                    f"einsum(): the number of subscripts in the equation ({len(term)}) does not match the number of dimensions "
                    f"({rank}) for operand {k} and no ellipsis was given"
                )
            expanded.append((term, 0))
    dots = "".join(free[:widest])
    result = [term.replace("...", dots[widest - count :]) for term, count in expanded]
    if arrow:
        output = right.replace("...", dots)
        for letter in output:
            if output.count(letter) > 1:
                raise RuntimeError(f"einsum(): output subscript {letter} appears more than once in the output")
            if not any(letter in term for term in result):
                raise RuntimeError(f"einsum(): output subscript {letter} does not appear in the equation for any input operand")
    else:
        every = "".join(result)
        output = dots + "".join(sorted(x for x in set(every) if every.count(x) == 1 and x not in dots))
    return result, output


def _from_lists(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """The form ``einsum(op1, [0, 1], op2, [1, 2], [0, 2])`` as an equation."""
    operands, terms = [], []
    rest = list(arguments)

    def spell(items: Any) -> str:
        return "".join("..." if each is Ellipsis else _LETTERS[each] for each in items)

    while len(rest) > 1:
        operands.append(rest.pop(0))
        terms.append(spell(rest.pop(0)))
    equation = ",".join(terms)
    return (equation + "->" + spell(rest[0]) if rest else equation), tuple(operands)


def _single(x: Any, term: str) -> tuple[Any, str]:
    """A letter that appears twice in one term names a diagonal."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            first = term.index(letter)
            second = term.index(letter, first + 1)
            if x._spec.shape[first] != x._spec.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {letter} is repeated for operand but the sizes don't match, "
                    f"{x._spec.shape[second]} != {x._spec.shape[first]}"
                )
            x = x.diagonal(0, first, second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + letter
    return x, term


def _pair(x: Any, a: str, y: Any, b: str, needed: set[str]) -> tuple[Any, str]:
    """Two operands contracted over the letters nobody needs any more."""
    for side in (0, 1):  # what only one side has, and nobody needs, is summed first
        own, other = ((a, b), (b, a))[side]
        lone = [axis for axis, letter in enumerate(own) if letter not in other and letter not in needed]
        if lone:
            kept = "".join(letter for axis, letter in enumerate(own) if axis not in lone)
            if side:
                y, b = y.sum(lone, dtype=y._spec.dtype), kept
            else:
                x, a = x.sum(lone, dtype=x._spec.dtype), kept
    shared = [letter for letter in a if letter in b]
    summed = [
        letter for letter in shared
        if letter not in needed and x._spec.shape[a.index(letter)] == y._spec.shape[b.index(letter)]
    ]  # fmt: skip
    for letter in shared:
        if letter not in needed and letter not in summed:  # one side has size one: sum the other side's
            if x._spec.shape[a.index(letter)] == 1:
                y = y.sum(b.index(letter), keepdim=True, dtype=y._spec.dtype)
            else:
                x = x.sum(a.index(letter), keepdim=True, dtype=x._spec.dtype)
            summed.append(letter)
    batch = [letter for letter in shared if letter not in summed]
    rows = [letter for letter in a if letter not in b]
    columns = [letter for letter in b if letter not in a]

    def size(letter: str) -> int:
        sizes = [z._spec.shape[term.index(letter)] for z, term in ((x, a), (y, b)) if letter in term]
        return max(sizes) if 0 not in sizes else 0

    def laid(z: Any, term: str, groups: Any) -> Any:
        order = [letter for group in groups for letter in group]
        z = z.permute(tuple(term.index(letter) for letter in order)) if order else z
        z = z.expand(tuple(size(letter) for letter in order)) if order else z
        shape = []
        for group in groups:
            count = 1
            for letter in group:
                count *= size(letter)
            shape.append(count)
        return z.reshape(tuple(shape))

    product = bmm(laid(x, a, (batch, rows, summed)), laid(y, b, (batch, summed, columns)))
    letters = [*batch, *rows, *columns]
    return product.reshape(tuple(size(letter) for letter in letters)), "".join(letters)
