# Data sets, loaders, a fit function, evaluation, saving.
import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import optim
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

bc = datasets.load_breast_cancer()
X_train, X_test, y_train, y_test = train_test_split(bc.data, bc.target, test_size=0.2, random_state=1234)
sc = StandardScaler()
X_train = torch.from_numpy(sc.fit_transform(X_train).astype(np.float32))
X_test = torch.from_numpy(sc.transform(X_test).astype(np.float32))
y_train = torch.from_numpy(y_train.astype(np.float32)).view(-1, 1)
y_test = torch.from_numpy(y_test.astype(np.float32)).view(y_test.shape[0], 1)


class Model(nn.Module):
    def __init__(self, n_input_features):
        super().__init__()
        self.linear = nn.Linear(n_input_features, 1)

    def forward(self, x):
        return torch.sigmoid(self.linear(x))


torch.manual_seed(0)
model = Model(X_train.shape[1])
criterion = nn.BCELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(100):
    loss = criterion(model(X_train), y_train)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    if (epoch + 1) % 25 == 0:
        print(f"epoch: {epoch + 1}, loss = {loss.item():.4f}")
with torch.no_grad():
    y_predicted_cls = model(X_test).round()
    acc = y_predicted_cls.eq(y_test).sum() / float(y_test.shape[0])
    print(f"accuracy: {acc.item():.4f}")


class WineDataset(Dataset):
    def __init__(self, transform=None):
        wine = datasets.load_wine()
        self.x, self.y, self.transform = wine.data.astype(np.float32), wine.target[:, None], transform
        self.n_samples = len(self.x)

    def __getitem__(self, index):
        sample = self.x[index], self.y[index]
        return self.transform(sample) if self.transform else sample

    def __len__(self):
        return self.n_samples


class ToTensor:
    def __call__(self, sample):
        inputs, targets = sample
        return torch.from_numpy(inputs), torch.from_numpy(targets)


if __name__ == "__main__":
    features, labels = WineDataset()[0]
    print(type(features), type(WineDataset(transform=ToTensor())[0][0]).__name__, labels)
    torch.manual_seed(1)
    dataloader = DataLoader(dataset=WineDataset(), batch_size=4, shuffle=True, num_workers=2)
    features, labels = next(iter(dataloader))
    print(features.shape, labels.view(-1))
    print(len(dataloader), [len(part) for part in random_split(WineDataset(), [0.8, 0.2])])

    digits = datasets.load_digits()
    x_all = torch.tensor(digits.data, dtype=torch.float32) / 16
    y_all = torch.tensor(digits.target)
    train_ds = TensorDataset(x_all[:1400], y_all[:1400])
    xb, yb = train_ds[10:14]
    print(xb.shape, yb)
    valid_dl = DataLoader(TensorDataset(x_all[1400:], y_all[1400:]), batch_size=64)
    torch.manual_seed(2)

    def loss_batch(model, loss_func, xb, yb, opt=None):
        loss = loss_func(model(xb), yb)
        if opt is not None:
            loss.backward()
            opt.step()
            opt.zero_grad()
        return loss.item(), len(xb)

    def fit(epochs, model, loss_func, opt, train_dl, valid_dl):
        for epoch in range(epochs):
            model.train()
            for xb, yb in train_dl:
                loss_batch(model, loss_func, xb, yb, opt)
            model.eval()
            with torch.inference_mode():
                losses, nums = zip(*[loss_batch(model, loss_func, xb, yb) for xb, yb in valid_dl])
            print(epoch, f"{np.sum(np.multiply(losses, nums)) / np.sum(nums):.4f}")

    network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    opt = optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    fit(3, network, F.cross_entropy, opt, DataLoader(train_ds, batch_size=64, shuffle=True), valid_dl)
    with torch.inference_mode():
        outputs = network(x_all[1400:])
        _, predicted = torch.max(outputs, 1)
        print(f"{(predicted == y_all[1400:]).float().mean():.3f}", outputs.requires_grad)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "checkpoint.pth")
        torch.save({"epoch": 3, "model_state": network.state_dict(), "optim_state": opt.state_dict()}, path)
        loaded = torch.load(path, map_location="cpu")
        again = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        again.load_state_dict(loaded["model_state"])
        print(loaded["epoch"], torch.equal(again(x_all[:5]), network(x_all[:5])), loaded["optim_state"]["param_groups"][0]["lr"])
        torch.save(network, path)
        print(torch.load(path, weights_only=False).eval())
