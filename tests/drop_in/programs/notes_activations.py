# Softmax, cross entropy, activations, a convolutional network.
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def softmax(x):
    return np.exp(x) / np.sum(np.exp(x), axis=0)


x = np.array([2.0, 1.0, 0.1])
print("softmax numpy:", softmax(x))
print("softmax torch:", torch.softmax(torch.tensor(x), dim=0))
loss = nn.CrossEntropyLoss()
Y = torch.tensor([2, 0, 1])
Y_pred_good = torch.tensor([[0.1, 1.0, 3.9], [1.2, 0.1, 0.3], [0.3, 2.2, 0.2]])
Y_pred_bad = torch.tensor([[0.9, 0.2, 0.1], [0.1, 0.3, 1.5], [1.2, 0.2, 0.5]])
print(loss(Y_pred_good, Y).item(), loss(Y_pred_bad, Y).item())
print(loss(Y_pred_good, F.one_hot(Y, 3).float()), torch.max(Y_pred_good, 1))
print(nn.BCELoss()(torch.sigmoid(Y_pred_good[0]), torch.tensor([0.0, 1.0, 1.0])))
x = torch.tensor([-1.0, 1.0, 2.0, 3.0])
for name in ("Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "GELU", "Softplus", "Hardswish"):
    print(getattr(nn, name)(), getattr(nn, name)()(x))
print(torch.sigmoid(x), torch.tanh(x), torch.relu(x), F.leaky_relu(x), F.softmax(x, dim=0), torch.heaviside(x, torch.tensor(0.0)), sep="\n")


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 16 * 5 * 5)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
torch.manual_seed(0)
model = ConvNet().to(device)
print(model, sum(p.numel() for p in model.parameters()))
images, labels = torch.randn(4, 3, 32, 32).to(device), torch.tensor([1, 0, 3, 9]).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
for epoch in range(4):
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    print(f"{loss.item():.4f} {optimizer.param_groups[0]['lr']:.4f}")
for parameter in model.parameters():
    parameter.requires_grad = False
model.fc3 = nn.Linear(84, 2)
print([name for name, p in model.named_parameters() if p.requires_grad])
outputs = model(images)
_, preds = torch.max(outputs, 1)
print(preds.shape, torch.sum(preds == torch.zeros(4, dtype=torch.long)).item() <= 4)
