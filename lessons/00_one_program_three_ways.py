"""One program, three ways

flambeau looks like PyTorch and behaves like PyTorch, but does not compute when you call it. It *records* what you ask for. When
somebody needs a number, the recording becomes a program, and the program is run: as a whole, so that steps can be joined, memory can be
used again, and work that nobody needs is left out. You never have to know this; every number is the one that you would
have got one call at a time.

This lesson looks behind the curtain. It finds three weights with a few lines of code: plainly; captured, which means that the
program is run without going through the Python again; and then it prints the program that flambeau made. If you are new to all of
this, begin with lesson 1, and come back after lesson 5.
"""

# %%
import textwrap
import time

import flambeau as torch
from flambeau.tracing.cache import cache

torch.manual_seed(0)

# %% [markdown]
# ## The problem
#
# 1,000 points with 3 features; the target is a weighted sum of them, with a little noise. The three weights are to be found by
# gradient descent (lesson 5), with the mean squared error
#
# $$L(w) = \frac1N\|Xw - y\|^2, \qquad w \leftarrow w - 0.1\,\frac{\partial L}{\partial w}.$$

# %%
x = torch.randn(1000, 3)
y = x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.01 * torch.randn(1000, 1)
print("points:", tuple(x.shape), "targets:", tuple(y.shape))
# Output:
#     points: (1000, 3) targets: (1000, 1)

# %% [markdown]
# ## First way: plain
#
# A training step as everybody writes it. Nothing here is special.


# %%
w = torch.zeros(3, 1, requires_grad=True)


def step():
    loss = ((x @ w - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w.sub_(0.1 * w.grad)
    w.grad = None
    return loss


for epoch in range(30):
    loss = step().item()
    if epoch % 10 == 0:
        print(f"epoch {epoch + 1:2}: loss {loss:.5f}")
print("weights:", [round(each, 2) for each in w.flatten().tolist()])
# Output:
#     epoch  1: loss 5.16220
#     epoch 11: loss 0.06499
#     epoch 21: loss 0.00092
#     weights: [1.0, -2.0, 0.5]

# %% [markdown]
# ## Nothing is computed until it is needed
#
# `step()` makes a dozen calls: a product, a difference, a square, a mean, and backward the same again. None of them computes. They
# are computed together at `item()`, which has to give a number. So a step costs little, until somebody looks.

# %%
total = 200
start = time.perf_counter()
for _ in range(total):
    loss = step()
recorded = time.perf_counter()
loss.item()
done = time.perf_counter()
print(f"{1e6 * (recorded - start) / total:.0f} µs a step, and {1e6 * (done - recorded):.0f} µs at the end")
# Output:
#     …µs a step, and …µs at the end

# %% [markdown]
# What is needed only later is still right, whatever happens in between. Here `before` is recorded, then `a` is changed in place;
# `before` is what it was when it was asked for.

# %%
a = torch.ones(3)
before = a * 10
a.add_(1)
print(before, a)
# Output:
#     tensor([10., 10., 10.]) tensor([2., 2., 2.])

# %% [markdown]
# ## Second way: captured
#
# Recording a step costs something, too: Python goes through all its lines, each time, to record what it recorded the time before.
# `torch.capture(step)` (of flambeau only) makes a step that does so twice. If both recordings are the same, from then on it runs
# their program and nothing else. The numbers are the same as in the plain way, to the last digit.

# %%
captured = torch.capture(step)
with torch.no_grad():
    w.zero_()
for epoch in range(30):
    loss = captured().item()
    if epoch % 10 == 0:
        print(f"epoch {epoch + 1:2}: loss {loss:.5f}")
print("weights:", [round(each, 2) for each in w.flatten().tolist()])
print("steps without Python:", captured.replays, "of 30")
# Output:
#     epoch  1: loss 5.16220
#     epoch 11: loss 0.06499
#     epoch 21: loss 0.00092
#     weights: [1.0, -2.0, 0.5]
#     steps without Python: 28 of 30

# %%
for name, each in (("plain", step), ("captured", captured)):
    times = []
    for _ in range(total):
        start = time.perf_counter()
        each().item()
        times.append(time.perf_counter() - start)
    print(f"{name}: {1e6 * sorted(times)[total // 2]:.0f} µs a step")
# Output:
#     plain: …µs a step
#     captured: …µs a step

# %% [markdown]
# This is only right for a step that does the same each time. One that looks at a number to decide what to do, does not, and
# is refused with the reason. (Tensors may be given as arguments; they are read anew each time.)


# %%
def undecided():
    loss = step()
    return loss if loss.item() < 1 else loss * 0


try:
    looking = torch.capture(undecided)
    for _ in range(3):
        looking()
except RuntimeError as error:
    print(textwrap.fill(str(error), 100))
# Output:
#     capture: undecided cannot be replayed: it looks at a number while it runs (item(), print, `if` on a
#     tensor, numpy()); return the tensor, and look at it outside

# %% [markdown]
# ## Third way: the program that flambeau made of it
#
# Here is the step as a program. It is Python that you can read. The inputs are the tensors that were there before (and Python
# numbers such as 0.1: another learning rate is the same program). Each line is one *primitive*; flambeau has about a hundred,
# and every operator consists of them. (`FLAMBEAU_LOG=programs python program.py` prints all programs of any program.)

# %%
print(captured.programs[-1])
# Output:
#     def program(inputs):
#         v0 = inputs[0]  # float32[1000, 3]
#         v1 = inputs[1]  # float32[3, 1]
#         v2 = inputs[2]  # float32[1000, 1]
#         v3 = inputs[3]  # number
#         v4 = inputs[4]  # float32[3, 1000]
#         v5 = inputs[5]  # number
#         v6 = inputs[6]  # number
#         v7 = inputs[7]  # number
#         v8 = matrix_multiply(v0, v1)  # float32[1000, 1]
#         v0 = None
#         v9 = subtract(v8, v2)  # float32[1000, 1]
#         v2 = v8 = None
#         v10 = power(v9, v3)  # float32[1000, 1]
#         v3 = None
#         v11 = reduce_sum(v10, axes=(0, 1), dtype=dtype('float32'))  # float32[]
#         v10 = None
#         v12 = divide(v11, 1000.0)  # float32[]
#         v11 = None
#         v13 = full(v5, shape=(), dtype=dtype('float32'))  # float32[]
#         v5 = None
#         v14 = reshape(v13, shape=(1, 1))  # float32[1, 1]
#         v13 = None
#         v15 = divide(v14, 1000.0)  # float32[1, 1]
#         v14 = None
#         v16 = broadcast(v15, shape=(1000, 1))  # float32[1000, 1]
#         v15 = None
#         v17 = multiply(v9, v6)  # float32[1000, 1]
#         v6 = v9 = None
#         v18 = multiply(v16, v17)  # float32[1000, 1]
#         v16 = v17 = None
#         v19 = matrix_multiply(v4, v18)  # float32[3, 1]
#         v4 = v18 = None
#         v20 = multiply(v19, v7)  # float32[3, 1]
#         v7 = v19 = None
#         v21 = subtract(v1, v20)  # float32[3, 1]
#         return [v12, v21]

# %% [markdown]
# Read it from above. `matrix_multiply`, `subtract`, `power`, `reduce_sum`, `divide`: that is the loss. Then comes what
# `backward()` asked for, in opposite order: the 1 that every backward pass starts with, its share for each point (`divide` by 1000
# and `broadcast`), times $2(Xw - y)$, and a `matrix_multiply` with the transposed data. That is the formula
#
# $$\frac{\partial L}{\partial w} = \frac{2}{N} X^T (Xw - y),$$
#
# which nobody has written down. The last `subtract` is the step of gradient descent. Two values are returned: the loss and the
# new weights. The gradient is not among them: nobody held it any more, so it is not kept. `v0 = None` gives memory back as
# soon as it is not needed.
#
# ## Found again
#
# The second time the same calls are recorded, their program is looked up, not made. `hits` counts that. A step with another shape is
# another program: 500 points are not 1,000.

# %%
cache_before = cache.hits, cache.misses
for _ in range(10):
    step().item()
print("ten more steps:", cache.hits - cache_before[0], "found,", cache.misses - cache_before[1], "made")
x, y = x[:500], y[:500]
cache_before = cache.misses
step().item()
step().item()
print("with 500 points:", cache.misses - cache_before, "made")
# Output:
#     ten more steps: 10 found, 0 made
#     with 500 points: 1 made
