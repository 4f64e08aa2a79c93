import os
import pickle
import tempfile

import numpy as np
import torch
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring, LRScheduler
from skorch.helper import SliceDataset, predefined_split
from torch import nn


class Net(nn.Module):
    def __init__(self, inputs=64, hidden=32, classes=10, dropout=0.0):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, classes))

    def forward(self, x):
        return self.layers(x)


x, y = load_digits(return_X_y=True)
x, y = (x / 16).astype(np.float32), y.astype(np.int64)

torch.manual_seed(0)
net = NeuralNetClassifier(Net, criterion=nn.CrossEntropyLoss, max_epochs=5, lr=0.1, batch_size=64, verbose=0, train_split=None)
net.fit(x, y)
print("losses", [f"{loss:.3f}" for loss in net.history[:, "train_loss"]])
print("accuracy above 0.9:", net.score(x, y) > 0.9, net.predict_proba(x[:2]).shape, net.predict(x[:3]).dtype)

with tempfile.TemporaryDirectory() as folder:
    net.save_params(f_params=os.path.join(folder, "params.pt"), f_optimizer=os.path.join(folder, "opt.pt"))
    other = NeuralNetClassifier(Net, criterion=nn.CrossEntropyLoss).initialize()
    other.load_params(f_params=os.path.join(folder, "params.pt"))
    print("same predictions:", (other.predict(x) == net.predict(x)).all())
    net.save_params(f_params=os.path.join(folder, "params.safetensors"), use_safetensors=True)
    again = NeuralNetClassifier(Net, criterion=nn.CrossEntropyLoss).initialize()
    again.load_params(f_params=os.path.join(folder, "params.safetensors"), use_safetensors=True)
    print("same predictions:", (again.predict(x) == net.predict(x)).all())
    checkpoint = Checkpoint(dirname=folder, monitor="valid_loss_best")
    stopping = EarlyStopping(patience=2, monitor="valid_loss")
    scheduler = LRScheduler(policy="StepLR", step_size=2, gamma=0.5)
    scoring = EpochScoring("accuracy", on_train=True, name="train_acc", lower_is_better=False)
    torch.manual_seed(0)
    watched = NeuralNetClassifier(
        Net, criterion=nn.CrossEntropyLoss, max_epochs=4, lr=0.1, verbose=0, optimizer=torch.optim.Adam, optimizer__lr=0.01,
        iterator_train__shuffle=True, module__dropout=0.1, callbacks=[checkpoint, stopping, scheduler, scoring],
    )
    watched.fit(x, y)
    print("files", sorted(os.listdir(folder))[:3], "rates", watched.history[:, "event_lr"])
    print("valid accuracy above 0.8:", watched.history[-1, "valid_acc"] > 0.8, watched.history[-1, "train_acc"] > 0.8)

copied = pickle.loads(pickle.dumps(net))
print("same predictions:", (copied.predict(x) == net.predict(x)).all())

wine, kinds = load_wine(return_X_y=True)
pipeline = make_pipeline(
    StandardScaler(),
    NeuralNetClassifier(Net, module__inputs=13, module__classes=3, criterion=nn.CrossEntropyLoss, max_epochs=10, lr=0.1, verbose=0),
)
torch.manual_seed(0)
print("cross validation above 0.8:", cross_val_score(pipeline, wine.astype(np.float32), kinds.astype(np.int64), cv=3).mean() > 0.8)


class Line(nn.Module):
    def __init__(self, outputs=1):
        super().__init__()
        self.line = nn.Linear(1, outputs)

    def forward(self, x):
        return self.line(x)


torch.manual_seed(0)
a = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
regressor = NeuralNetRegressor(Line, max_epochs=30, lr=0.1, verbose=0, train_split=None).fit(a, 3 * a + 1)
print("line", [f"{value.item():.2f}" for value in regressor.module_.parameters()])
search = GridSearchCV(NeuralNetRegressor(Line, max_epochs=5, verbose=0, train_split=None), {"lr": [0.001, 0.1]}, cv=2, scoring="r2")
print("best", search.fit(a, 3 * a + 1).best_params_)


class Flat(Line):
    def forward(self, x):
        return self.line(x).squeeze(-1)


binary = NeuralNetBinaryClassifier(Flat, max_epochs=20, lr=0.5, verbose=0, train_split=None)
print("binary", (binary.fit(a, (a[:, 0] > 0).astype(np.float32)).predict(a) == (a[:, 0] > 0)).mean() > 0.9)
data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
split = NeuralNetClassifier(
    Net, criterion=nn.CrossEntropyLoss, max_epochs=1, verbose=0, train_split=predefined_split(torch.utils.data.Subset(data, range(100)))
)
split.fit(data, y=None)
print("valid_loss" in split.history[-1], len(SliceDataset(data)), [int(each) for each in SliceDataset(data, idx=1)[:3]])
