"""Autograd: derivatives without effort

Training means changing numbers so that a loss becomes smaller. Which way to change them, the derivative says. Autograd
computes it: while you calculate, it remembers what depends on what, and `backward()` then goes through this history in the
opposite direction, with the chain rule.

You learn how to ask for gradients, what they mean when the result is a vector, how to stop the remembering, and why gradients
must be set to zero between two steps.
"""

# %%
import flambeau as torch

torch.manual_seed(0)

# %% [markdown]
# ## Asking for a gradient
#
# `requires_grad=True` on the input is all that is needed. Every result then has a `grad_fn`: the memory of how it was made.
# Take $y = x + 2$, $z = 3y^2$, and the mean of the three elements of $z$, $m = \frac{1}{3}\sum_i z_i$.

# %%
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = x + 2
z = y * y * 3
m = z.mean()
print(y)
print(z)
print(m)
# Output:
#     tensor([3., 4., 5.], grad_fn=<AddBackward0>)
#     tensor([27., 48., 75.], grad_fn=<MulBackward0>)
#     tensor(50., grad_fn=<MeanBackward0>)

# %% [markdown]
# By the chain rule,
#
# $$\frac{\partial m}{\partial x_i} = \frac{\partial m}{\partial z_i}\frac{\partial z_i}{\partial y_i}
#   \frac{\partial y_i}{\partial x_i} = \frac{1}{3}\cdot 6y_i\cdot 1 = 2(x_i + 2).$$
#
# `m.backward()` computes this and leaves it in `x.grad`. It has the shape of `x`: one derivative for each element.

# %%
m.backward()
print("autograd:", x.grad)
print("by hand: ", 2 * (x.detach() + 2))
# Output:
#     autograd: tensor([ 6.,  8., 10.])
#     by hand:  tensor([ 6.,  8., 10.])

# %% [markdown]
# ## When the result is a vector
#
# A function from 3 numbers to 3 numbers has 9 derivatives, the *Jacobian matrix* $J_{ij} = \partial z_i / \partial x_j$.
# Autograd never builds it. Given a vector $v$, it computes the product $v^T J$, that is $\sum_i v_i\,\partial z_i/\partial x_j$.
# If $v$ is the gradient of some loss with respect to $z$, this product is the loss's gradient with respect to $x$: it is one
# step of the chain rule. For a single number, $v = 1$, and may be left out. For a vector it must be given.

# %%
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
z = x**2
try:
    z.backward()
except RuntimeError as error:
    print("RuntimeError:", error)
v = torch.tensor([0.1, 1.0, 0.001])
z.backward(v)
print("v^T J, autograd:", x.grad)
# Output:
#     RuntimeError: grad can be implicitly created only for scalar outputs
#     v^T J, autograd: tensor([0.2000, 4.0000, 0.0060])

# %% [markdown]
# Here $z_i = x_i^2$, so $J$ is diagonal with $2x_i$ on it. `torch.autograd.functional.jacobian` builds the whole matrix, to
# check; for real networks it would be far too large.

# %%
jacobian = torch.autograd.functional.jacobian(lambda x: x**2, x.detach())
print(jacobian)
print("v^T J, by hand: ", v @ jacobian)
# Output:
#     tensor([[2., 0., 0.],
#             [0., 4., 0.],
#             [0., 0., 6.]])
#     v^T J, by hand:  tensor([0.2000, 4.0000, 0.0060])

# %% [markdown]
# ## Three ways to stop the remembering
#
# After training, or while the weights are being updated, no history is wanted; it only costs memory and time.
#
# 1. `x.requires_grad_(False)` changes the tensor itself (an underscore: in place).
# 2. `x.detach()` gives a new tensor with the same content, and without history.
# 3. `with torch.no_grad():` nothing inside is remembered.

# %%
x = torch.ones(2, requires_grad=True)
x.requires_grad_(False)
print("1.", x)

x = torch.ones(2, requires_grad=True)
print("2.", x.detach(), "while x itself is unchanged:", x)

with torch.no_grad():
    y = x + 2
print("3.", y)
print("outside:", x + 2)
# Output:
#     1. tensor([1., 1.])
#     2. tensor([1., 1.]) while x itself is unchanged: tensor([1., 1.], requires_grad=True)
#     3. tensor([3., 3.])
#     outside: tensor([3., 3.], grad_fn=<AddBackward0>)

# %% [markdown]
# ## Gradients add up
#
# `backward()` does not replace `grad`, it adds to it. This is useful when a loss comes in several parts. In a training loop it
# is a mistake that happens to everybody once: each step then also carries all the gradients before it. Watch three steps.
# The gradient of $\sum_i 3w_i$ is 3 for each element, always.

# %%
weights = torch.ones(4, requires_grad=True)
for step in range(3):
    (weights * 3).sum().backward()
    print(f"step {step + 1}, never zeroed:", weights.grad)
# Output:
#     step 1, never zeroed: tensor([3., 3., 3., 3.])
#     step 2, never zeroed: tensor([6., 6., 6., 6.])
#     step 3, never zeroed: tensor([9., 9., 9., 9.])

# %% [markdown]
# The remedy: set them to zero after each step. Optimizers do this with `optimizer.zero_grad()`.

# %%
weights = torch.ones(4, requires_grad=True)
for step in range(3):
    (weights * 3).sum().backward()
    print(f"step {step + 1}, zeroed:", weights.grad)
    weights.grad.zero_()
# Output:
#     step 1, zeroed: tensor([3., 3., 3., 3.])
#     step 2, zeroed: tensor([3., 3., 3., 3.])
#     step 3, zeroed: tensor([3., 3., 3., 3.])

# %% [markdown]
# ## All together: a step by hand
#
# One step of gradient descent on the loss $L(w) = (w - 5)^2$, from $w = 1$. The derivative is $2(w - 5) = -8$: uphill is towards
# smaller $w$, so we go the other way, $w \leftarrow w - 0.1 \cdot (-8) = 1.8$. The update itself must not be remembered.

# %%
w = torch.tensor(1.0, requires_grad=True)
loss = (w - 5) ** 2
loss.backward()
print("gradient:", w.grad.item())
with torch.no_grad():
    w -= 0.1 * w.grad
w.grad.zero_()
print(f"w after one step: {w.item():.4f}")
for _ in range(30):
    loss = (w - 5) ** 2
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    w.grad.zero_()
print(f"w after 31 steps: {w.item():.4f}, loss {loss.item():.2e}")
# Output:
#     gradient: -8.0
#     w after one step: 1.8000
#     w after 31 steps: 4.9960, loss 2.45e-05
