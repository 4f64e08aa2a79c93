# The same line fitted five times, each time with less work of our own.
import numpy as np
import torch
import torch.nn as nn

X = np.array([1, 2, 3, 4, 5, 6, 7, 8], dtype=np.float32)
Y = np.array([2, 4, 6, 8, 10, 12, 14, 16], dtype=np.float32)
w = 0.0
for epoch in range(20):
    w -= 0.01 * np.mean(2 * X * (w * X - Y))
print(f"by hand: f(5) = {w * 5:.3f}")

X, Y = torch.from_numpy(X), torch.from_numpy(Y)
w = torch.tensor(0.0, dtype=torch.float32, requires_grad=True)


def forward(x):
    return w * x


def loss(y, y_pred):
    return ((y_pred - y) ** 2).mean()


print(f"Prediction before training: f(5) = {forward(5).item():.3f}")
for epoch in range(30):
    l = loss(Y, forward(X))
    l.backward()
    with torch.no_grad():
        w -= 0.01 * w.grad
    w.grad.zero_()
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1}: w = {w.item():.3f}, loss = {l.item():.3f}")
print(f"Prediction after training: f(5) = {forward(5).item():.3f}")

w = torch.tensor(0.0, requires_grad=True)
loss = nn.MSELoss()
optimizer = torch.optim.SGD([w], lr=0.01)
for epoch in range(30):
    l = loss(Y, forward(X))
    l.backward()
    optimizer.step()
    optimizer.zero_grad()
print("epoch ", epoch + 1, ": w = ", w, " loss = ", l)

X, Y = X.view(-1, 1), Y.view(-1, 1)
torch.manual_seed(0)
n_samples, n_features = X.shape
model = nn.Linear(n_features, n_features)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(100):
    l = loss(Y, model(X))
    l.backward()
    optimizer.step()
    optimizer.zero_grad()
    if epoch % 25 == 0:
        [w, b] = model.parameters()
        print("epoch ", epoch + 1, ": w = ", w[0][0].item(), " loss = ", l)
print(f"f(5) = {model(torch.tensor([5.0])).item():.3f}")


class LinearRegression(nn.Module):
    def __init__(self, input_dim, output_dim):
        super(LinearRegression, self).__init__()
        self.lin = nn.Linear(input_dim, output_dim)

    def forward(self, x):
        return self.lin(x)


model = LinearRegression(n_features, n_features)
print(model)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for epoch in range(50):
    optimizer.zero_grad()
    l = loss(model(X), Y)
    l.backward()
    optimizer.step()
[w, b] = model.parameters()
print(f"w = {w[0][0].item():.4f}, b = {b.item():.4f}, loss = {l.item():.5f}")
predicted = model(X).detach().numpy()
print(predicted.shape, predicted.dtype)
