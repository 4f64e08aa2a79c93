"""Tensors

A tensor is a box of numbers, all of one type, arranged along any number of directions (*dimensions*): a single number
has none, a vector has one, a matrix two, a colour image three (colour, row, column), a batch of images four. Everything
that follows in this course, data as well as what a network learns, is tensors.

You learn to make them, to compute with them, to cut and rearrange them, to exchange them with NumPy, and where they live.
"""

# %%
import numpy as np

import flambeau as torch

torch.manual_seed(0)

# %% [markdown]
# ## Making tensors
#
# `torch.empty(sizes)` only takes memory: the numbers in it are whatever lay there before. So we print the shapes, not the
# content. Each number given is the size of one dimension. A single number has no dimension at all.

# %%
single = torch.tensor(3.5)
vector = torch.empty(3)
matrix = torch.empty(2, 3)
cube = torch.empty(2, 2, 3)
images = torch.empty(8, 3, 32, 32)
for name, each in [("single number", single), ("vector", vector), ("matrix", matrix), ("cube", cube), ("images", images)]:
    print(f"{name}: {each.dim()} dimensions, shape {tuple(each.shape)}, {each.numel()} numbers")
# Output:
#     single number: 0 dimensions, shape (), 1 numbers
#     vector: 1 dimensions, shape (3,), 3 numbers
#     matrix: 2 dimensions, shape (2, 3), 6 numbers
#     cube: 3 dimensions, shape (2, 2, 3), 12 numbers
#     images: 4 dimensions, shape (8, 3, 32, 32), 24576 numbers

# %% [markdown]
# Usually one wants known content: zeros, ones, random numbers (`rand`: uniform between 0 and 1; `randn`: the bell curve with
# mean 0 and variance 1), a range, or the numbers of a Python list.

# %%
print(torch.zeros(2, 3))
print(torch.ones(2))
print(torch.rand(2, 2))
print(torch.randn(3))
print(torch.arange(0, 10, 2))
print(torch.linspace(0, 1, 5))
print(torch.tensor([[1, 2], [3, 4]]))
# Output:
#     tensor([[0., 0., 0.],
#             [0., 0., 0.]])
#     tensor([1., 1.])
#     tensor([[0.4963, 0.7682],
#             [0.0885, 0.1320]])
#     tensor([-2.1788,  0.5684, -1.0845])
#     tensor([0, 2, 4, 6, 8])
#     tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
#     tensor([[1, 2],
#             [3, 4]])

# %% [markdown]
# ## Type and size
#
# `dtype` is the type of the numbers. The usual one is `float32`: 32 bits, about 7 digits. `float64` (also called `double`)
# has 16 digits and takes twice the room; `float16` has 3 digits. Whole numbers in a list become `int64`.
# `size()` and `shape` are the same thing.

# %%
print(torch.rand(2).dtype, torch.tensor([1, 2]).dtype, torch.tensor([True]).dtype)
half = torch.ones(2, 3, dtype=torch.float16)
print(half.dtype, half.size(), half.size(0), half.shape[1])
print("bytes of one number:", half.element_size(), torch.rand(1).element_size(), torch.rand(1).double().element_size())
# Output:
#     torch.float32 torch.int64 torch.bool
#     torch.float16 torch.Size([2, 3]) 2 3
#     bytes of one number: 2 4 8

# %% [markdown]
# When types meet, the result has the wider one, so that nothing is lost: float16 + float64 is float64.

# %%
mixed = torch.ones(2, 2, dtype=torch.float16) + torch.ones(2, 2, dtype=torch.double)
print(mixed, mixed.dtype)
# Output:
#     tensor([[2., 2.],
#             [2., 2.]], dtype=torch.float64) torch.float64

# %% [markdown]
# ## Arithmetic
#
# Operators work element by element: $(x + y)_{ij} = x_{ij} + y_{ij}$, and `*` likewise. Every operator is also a function.
# The product of matrices is `@`: $(xy)_{ik} = \sum_j x_{ij} y_{jk}$.

# %%
x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
y = torch.tensor([[10.0, 20.0], [30.0, 40.0]])
print("x + y =", x + y)
print("torch.add(x, y) is the same:", torch.equal(x + y, torch.add(x, y)))
print("y - x =", torch.sub(y, x))
print("x * y =", torch.mul(x, y))
print("y / x =", torch.div(y, x))
print("x @ y =", x @ y)
# Output:
#     x + y = tensor([[11., 22.],
#             [33., 44.]])
#     torch.add(x, y) is the same: True
#     y - x = tensor([[ 9., 18.],
#             [27., 36.]])
#     x * y = tensor([[ 10.,  40.],
#             [ 90., 160.]])
#     y / x = tensor([[10., 10.],
#             [10., 10.]])
#     x @ y = tensor([[ 70., 100.],
#             [150., 220.]])

# %% [markdown]
# Sizes need not be equal. A dimension of size 1, or one that is missing at the front, is repeated (*broadcasting*).
# Here each row of the matrix gets the vector added.

# %%
print(torch.zeros(2, 3) + torch.tensor([1.0, 2.0, 3.0]))
# Output:
#     tensor([[1., 2., 3.],
#             [1., 2., 3.]])

# %% [markdown]
# ## In place
#
# Functions whose name ends in an underscore change the tensor itself, and make no new one. `y.add_(x)` is `y += x`.

# %%
y = torch.ones(3)
z = y
y.add_(torch.tensor([1.0, 2.0, 3.0]))
print(y)
print("z is the same tensor, so it has changed too:", z)
# Output:
#     tensor([2., 3., 4.])
#     z is the same tensor, so it has changed too: tensor([2., 3., 4.])

# %% [markdown]
# ## Slicing
#
# As with lists: counting begins at 0, the end is not included, -1 is the last. A comma separates the dimensions, `:` means
# all of one. A slice is a *view*: it shows the same memory, so writing into it changes the whole.

# %%
x = torch.arange(12.0).view(3, 4)
print(x)
print("column 0:", x[:, 0])
print("row 1:", x[1])
print("rows 0 and 1, every second column:", x[:2, ::2])
print("the elements above 8:", x[x > 8])
x[:, 1] = 0
print("row 0 now:", x[0])
# Output:
#     tensor([[ 0.,  1.,  2.,  3.],
#             [ 4.,  5.,  6.,  7.],
#             [ 8.,  9., 10., 11.]])
#     column 0: tensor([0., 4., 8.])
#     row 1: tensor([4., 5., 6., 7.])
#     rows 0 and 1, every second column: tensor([[0., 2.],
#             [4., 6.]])
#     the elements above 8: tensor([ 9., 10., 11.])
#     row 0 now: tensor([0., 0., 2., 3.])

# %% [markdown]
# A tensor with one element gives its number as a Python number with `item()`.

# %%
print(x[1, 1], x[1, 2].item())
# Output:
#     tensor(0.) 6.0

# %% [markdown]
# ## Another shape
#
# `view` arranges the same numbers in another shape; the number of elements must stay. One size may be -1: it is found from the
# others. Here $4 \cdot 4 = 16$, so `view(-1, 8)` must mean $16 / 8 = 2$ rows.
# `view` never copies; it refuses where the memory does not lie in order, as after a transposition. `reshape` then copies.

# %%
x = torch.arange(16.0).view(4, 4)
print(x.view(16).shape, x.view(-1, 8).shape, x.view(-1, 16).shape)
try:
    x.t().view(16)
except RuntimeError as error:
    print("RuntimeError:", str(error)[:48], "…")
print(x.t().reshape(16)[:6])
# Output:
#     torch.Size([16]) torch.Size([2, 8]) torch.Size([1, 16])
#     RuntimeError: view size is not compatible with input tensor's  …
#     tensor([ 0.,  4.,  8., 12.,  1.,  5.])

# %% [markdown]
# ## NumPy
#
# `numpy()` gives an array, `from_numpy` a tensor. Neither copies: both look at *the same memory*. Change one and the other
# changes. That is fast, and a trap. `torch.tensor(array)` copies, and is safe.

# %%
a = torch.ones(5)
b = a.numpy()
print(type(b).__name__, b)
a.add_(1)
print("after a.add_(1):", b)

c = np.ones(5)
d = torch.from_numpy(c)
copied = torch.tensor(c)
c += 1
print("after c += 1:", d)
print("the copy:", copied)
print("same address:", a.data_ptr() == b.__array_interface__["data"][0])
# Output:
#     ndarray [1. 1. 1. 1. 1.]
#     after a.add_(1): [2. 2. 2. 2. 2.]
#     after c += 1: tensor([2., 2., 2., 2., 2.], dtype=torch.float64)
#     the copy: tensor([1., 1., 1., 1., 1.], dtype=torch.float64)
#     same address: True

# %% [markdown]
# ## Devices
#
# A tensor lives on a device. `.to(device)` moves it (and gives back the tensor itself where it is there already). Tensors on
# different devices cannot be combined, and NumPy knows only the processor's memory; `.cpu()` brings a tensor back.

# %%
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
x = torch.ones(3, device=device)
y = torch.ones(3).to(device)
z = (x + y).to("cpu")
print(z, z.device, z.numpy().sum())
# Output:
#     tensor([2., 2., 2.]) cpu 6.0

# %% [markdown]
# ## A promise of gradients
#
# `requires_grad=True` says: this tensor will be changed to make something better, so its derivatives will be asked for.
# That is what lesson 3 is about.

# %%
w = torch.ones(3, requires_grad=True)
print(w)
print(w * 2)
# Output:
#     tensor([1., 1., 1.], requires_grad=True)
#     tensor([2., 2., 2.], grad_fn=<MulBackward0>)
