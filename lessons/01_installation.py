"""Installation and check

You need Python 3.11 or later. Make an environment and install flambeau into it:

    python3 -m venv .venv
    .venv/bin/pip install flambeau

This lesson looks at what was installed and lets it compute once, so that you know it works before you learn with it.
The command `flambeau doctor` prints the same facts; put them into any report of a problem.

Run it with `flambeau lesson 1`, or `python lessons/01_installation.py`. It needs nothing but flambeau.
"""

# %% [markdown]
# flambeau has the names of PyTorch. Programs for PyTorch say `import torch`; here we say `import flambeau as torch`, and all
# that follows is the same. (A program that you do not want to change runs with `flambeau run program.py`.)

# %%
import platform
import time

import numpy as np

import flambeau as torch

# %% [markdown]
# ## Versions
#
# The first number is flambeau's own. The second is the version of PyTorch whose interface it offers: what the documentation
# of that version says holds here. NumPy is the library that flambeau computes with where it has no native code of its own.

# %%
print("flambeau:", torch.__version__)
print("interface of PyTorch:", torch.version.torch_version)
print("Python:", platform.python_version())
print("NumPy:", np.__version__)
# Output:
#     flambeau: …
#     interface of PyTorch: …
#     Python: …
#     NumPy: …

# %% [markdown]
# ## Devices
#
# A *device* is where numbers lie and where they are computed with: the processor (`cpu`), a graphics card of NVIDIA (`cuda`)
# or of Apple (`mps`). A program that should run everywhere asks what there is, and moves its tensors there with `.to(device)`.
# Every lesson runs on the processor alone.

# %%
print("CUDA available:", torch.cuda.is_available())
print("MPS available:", torch.backends.mps.is_available())
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
print("We shall use:", device)
# Output:
#     CUDA available: …
#     MPS available: …
#     We shall use: …

# %% [markdown]
# ## Threads
#
# A processor has several cores, and a large computation is divided among them, one *thread* on each. More threads than cores
# make nothing faster. `torch.set_num_threads(1)` leaves the other cores to other programs.

# %%
print("Threads used:", torch.get_num_threads())
# Output:
#     Threads used: …

# %% [markdown]
# ## BLAS
#
# Neural networks spend most of their time in products of matrices. A library called BLAS (*basic linear algebra
# subprograms*) computes these; which one decides the speed more than anything else. `show` names it.

# %%
print(torch.__config__.show().strip())
# Output:
#     flambeau built with:
#       - flambeau …
#       - Python …
#       - BLAS and LAPACK: …
#       - …

# %% [markdown]
# ## A first computation
#
# A tensor of 2 rows and 3 columns with random numbers between 0 and 1. `manual_seed` makes "random" repeatable: with the same
# seed you see the same numbers, here and in PyTorch.

# %%
torch.manual_seed(0)
x = torch.rand(2, 3, device=device)
print(x.cpu())
# Output:
#     tensor([[0.4963, 0.7682, 0.0885],
#             [0.1320, 0.3074, 0.6341]])

# %% [markdown]
# ## Does it compute correctly?
#
# The element in row $i$ and column $k$ of a matrix product is $C_{ik} = \sum_j A_{ij} B_{jk}$. We compare one of them with
# this sum. Numbers of type float32 have about 7 digits, so two ways of adding 300 products differ a little, but only a
# little: the difference should be below 0.001.

# %%
a = torch.rand(200, 300, device=device)
b = torch.rand(300, 100, device=device)
c = a @ b
by_hand = sum(a[7, j].item() * b[j, 5].item() for j in range(300))
difference = abs(c[7, 5].item() - by_hand)
print("Shape of the product:", tuple(c.shape))
print("Difference below 0.001:", difference < 1e-3)
# Output:
#     Shape of the product: (200, 100)
#     Difference below 0.001: True

# %% [markdown]
# ## And how fast?
#
# A product of two matrices of size $n \times n$ takes $2n^3$ operations: $n^2$ results, each of $n$ multiplications and $n$
# additions. Divided by the time, and by $10^9$, this gives GFLOP/s: thousand millions of operations a second. A laptop
# reaches some tens to some hundreds. We take the best of five, since the first one also warms up.

# %%
n = 1000
square = torch.rand(n, n, device=device)
times = []
for _ in range(5):
    start = time.perf_counter()
    total = (square @ square).sum().item()  # item() waits until the number is there
    times.append(time.perf_counter() - start)
print(f"{2 * n**3 / min(times) / 1e9:.0f} GFLOP/s")
# Output:
#     …GFLOP/s

# %% [markdown]
# If you have read so far without an error message, the installation works. Lesson 2 is about the tensors used above.
