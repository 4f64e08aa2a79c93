"""Backpropagation

How does autograd find a derivative? With one rule from school, the chain rule, applied over and over. This lesson does it by hand
for one weight, step by step, and compares each number with autograd's. At the end you see the whole history of a calculation as a
picture, with all the numbers on it.
"""

# %%
import argparse
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import flambeau as torch

# %%
# Where pictures go. (A notebook shows them as well; its command line is Jupyter's.)
in_notebook = "get_ipython" in globals()
if not in_notebook:
    matplotlib.use("Agg")  # pictures go to files; no window is needed
parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--out", type=Path, metavar="DIR", help="where pictures are written (default: a temporary folder)")
options = parser.parse_known_args()[0] if in_notebook else parser.parse_args()
out = options.out or Path(tempfile.mkdtemp(prefix="flambeau-lesson-"))
out.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## The chain rule
#
# Let $y = a(x)$ and $z = b(y)$. How does $z$ change when $x$ does? If $x$ moves by a little, $y$ moves $dy/dx$ times as much;
# and $z$ moves $dz/dy$ times as much as $y$. Together:
#
# $$\frac{dz}{dx} = \frac{dz}{dy}\cdot\frac{dy}{dx}.$$
#
# An example: $y = x^2$, $z = \sin y$ at $x = 0.5$. The two derivatives are $2x = 1$ and $\cos y = \cos 0.25$.

# %%
x = torch.tensor(0.5, requires_grad=True)
y = x**2
z = torch.sin(y)
z.backward()
dy_dx = 2 * 0.5
dz_dy = torch.cos(torch.tensor(0.25)).item()
print(f"by hand:  {dz_dy:.4f} · {dy_dx:.4f} = {dz_dy * dy_dx:.4f}")
print(f"autograd: {x.grad.item():.4f}")
# Output:
#     by hand:  0.9689 · 1.0000 = 0.9689
#     autograd: 0.9689

# %% [markdown]
# ## The computational graph
#
# A calculation is a chain of simple operators: plus, times, square. For each the derivative is known from a table, the *local
# gradient*. It needs no knowledge of the rest. When the calculation runs forward, the graph is noted: which operator made
# what from what.
#
# Our example is the smallest model there is: $\hat y = w x$, with the loss $L = (\hat y - y)^2$.
#
# | step | operator | local gradient |
# | --- | --- | --- |
# | $\hat y = w \cdot x$ | times | $\partial\hat y/\partial w = x$ |
# | $s = \hat y - y$ | minus | $\partial s/\partial\hat y = 1$ |
# | $L = s^2$ | square | $\partial L/\partial s = 2s$ |
#
# ## One weight by hand
#
# Three phases. **Forward**: compute the loss. **Local gradients**: one for each operator, noted while going forward.
# **Backward**: multiply them, from the loss to the weight. With $x = 1$, $y = 2$, $w = 1$:

# %%
x, y, w = 1.0, 2.0, 1.0
y_predicted = w * x
s = y_predicted - y
loss = s**2
print(f"forward:  y_predicted = {y_predicted}, s = {s}, loss = {loss}")
dl_ds = 2 * s
ds_dy = 1.0
dy_dw = x
print(f"local:    dL/ds = {dl_ds}, ds/dy_predicted = {ds_dy}, dy_predicted/dw = {dy_dw}")
dl_dy = dl_ds * ds_dy
dl_dw = dl_dy * dy_dw
print(f"backward: dL/dy_predicted = {dl_dy}, dL/dw = {dl_dw}")
# Output:
#     forward:  y_predicted = 1.0, s = -1.0, loss = 1.0
#     local:    dL/ds = -2.0, ds/dy_predicted = 1.0, dy_predicted/dw = 1.0
#     backward: dL/dy_predicted = -2.0, dL/dw = -2.0

# %% [markdown]
# ## The same with autograd
#
# `loss.backward()` is the third phase. Intermediate results drop their gradients to save memory, unless asked with
# `retain_grad()`.

# %%
x = torch.tensor(1.0)
y = torch.tensor(2.0)
w = torch.tensor(1.0, requires_grad=True)
with torch.drawing.remember():  # only for the picture below: keep all values
    y_predicted = w * x
    s = y_predicted - y
    loss = s**2
y_predicted.retain_grad()
s.retain_grad()
loss.backward(retain_graph=True)
print("loss:", loss.item())
print("dL/ds:", s.grad.item())
print("dL/dy_predicted:", y_predicted.grad.item())
print("dL/dw:", w.grad.item())
# Output:
#     loss: 1.0
#     dL/ds: -2.0
#     dL/dy_predicted: -2.0
#     dL/dw: -2.0

# %% [markdown]
# ## The graph, drawn
#
# What autograd notes can be followed from the loss: each `grad_fn` knows those before it.

# %%
node = loss.grad_fn
while node is not None:
    print(type(node).__name__)
    node = node.next_functions[0][0] if node.next_functions else None
# Output:
#     PowBackward0
#     SubBackward0
#     MulBackward0
#     AccumulateGrad

# %% [markdown]
# `torch.draw` (of flambeau only) shows more: every tensor with its value, on the lines the local gradients, and the gradient that
# arrives at each tensor. As text, and as a picture, which also appears by itself in a notebook.

# %%
drawing = torch.draw(loss)
print(drawing.text())
drawing.save(out / "04_graph.png")
if in_notebook:
    from IPython.display import display

    display(drawing)
print("Picture:", out / "04_graph.png")
# Output:
#     w = 1   ∂loss/∂w = -2
#     x = 1
#     y_predicted = mul(w, x) = 1   ∂loss/∂y_predicted = -2
#     y = 2
#     s = sub(y_predicted, y) = -1   ∂loss/∂s = -2
#     loss = pow(s, 2) = 1   ∂loss/∂loss = 1
#     Picture: …04_graph.png

# %% [markdown]
# ## Two ways to the loss
#
# When a number is used twice, both ways lead to the loss, and their gradients are **added**. Let $z = x^2 + 3x$. By the first
# way $2x$ arrives at $x$, by the second 3: together $2x + 3 = 7$ at $x = 2$. This is why `grad` is added to and not replaced.

# %%
x = torch.tensor(2.0, requires_grad=True)
z = x * x + 3 * x
z.backward()
print("gradient:", x.grad.item())
# Output:
#     gradient: 7.0

# %% [markdown]
# ## Why backward?
#
# A network has a million weights and one loss. Going forward, one would have to follow each weight to the loss: a million
# passes. Going backward from the one loss, each local gradient is used once, and one pass gives all million
# derivatives. It costs about twice as much as the forward pass. That is why this is called *backpropagation*, and why
# networks can be trained at all.
#
# ## A step of training
#
# The gradient is $-2$: a larger $w$ makes the loss smaller. A step with learning rate 0.01: $w = 1 + 0.02$. Then again, from
# the new place. The weight goes to 2, where $w x = y$.

# %%
x, y = torch.tensor(1.0), torch.tensor(2.0)
w = torch.tensor(1.0, requires_grad=True)
history = []
for step in range(150):
    loss = (w * x - y) ** 2
    loss.backward()
    with torch.no_grad():
        w -= 0.01 * w.grad
    w.grad.zero_()
    history.append(w.item())
    if step in (0, 1, 49, 149):
        print(f"step {step + 1:3}: w = {w.item():.4f}, loss before it = {loss.item():.4f}")
# Output:
#     step   1: w = 1.0200, loss before it = 1.0000
#     step   2: w = 1.0396, loss before it = 0.9604
#     step  50: w = 1.6358, loss before it = 0.1381
#     step 150: w = 1.9517, loss before it = 0.0024

# %%
figure, axes = plt.subplots(figsize=(6, 4))
axes.plot(history)
axes.axhline(2, linestyle=":", color="grey")
axes.set(title="One weight on its way", xlabel="step", ylabel="w")
figure.savefig(out / "04_weight.png")
print("Picture:", out / "04_weight.png")
# Output:
#     Picture: …04_weight.png
