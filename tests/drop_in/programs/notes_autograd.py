# Autograd and backpropagation.
import torch

torch.manual_seed(0)
x = torch.randn(3, requires_grad=True)
y = x + 2
print(x, y, y.grad_fn is not None, sep="\n")
z = y * y * 3
print(z)
z = z.mean()
print(z)
z.backward()
print(x.grad)

b = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
out = (b * b * 4).mean()
out.backward()
print(b.grad, out.item())

x = torch.randn(3, requires_grad=True)
y = x * 2
for _ in range(10):
    y = y * 2
print(y)
v = torch.tensor([0.1, 1.0, 0.0001], dtype=torch.float32)
y.backward(v)
print(x.grad)
try:
    (x * 2).backward()
except RuntimeError as error:
    print(error)

a = torch.randn(2, 2)
print(a.requires_grad)
b = (a * 3) / (a - 1)
print(b.grad_fn)
a.requires_grad_(True)
print(a.requires_grad, (a * a).sum().grad_fn.name())
print(a.detach().requires_grad)
with torch.no_grad():
    print((a**2).requires_grad)
print((a**2).requires_grad)

weights = torch.ones(4, requires_grad=True)
for epoch in range(3):
    model_output = (weights * 3).sum()
    model_output.backward()
    print(weights.grad)
    with torch.no_grad():
        weights -= 0.1 * weights.grad
    weights.grad.zero_()
print(weights, model_output)
optimizer = torch.optim.SGD([weights], lr=0.1)
(weights * 2).sum().backward()
optimizer.step()
optimizer.zero_grad()
print(weights, weights.grad)

x, y = torch.tensor(1.0), torch.tensor(2.0)
w = torch.tensor(1.0, requires_grad=True)
y_predicted = w * x
loss = (y_predicted - y) ** 2
print(loss)
loss.backward()
print(w.grad)
with torch.no_grad():
    w -= 0.01 * w.grad
w.grad.zero_()
try:
    loss.backward()
except RuntimeError as error:
    print(type(error).__name__)
