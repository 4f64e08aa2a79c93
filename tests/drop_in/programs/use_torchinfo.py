import torch
from torch import nn
from torchinfo import summary


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8 * 13 * 13, 10)
        self.scale = nn.Parameter(torch.ones(1))
        self.frozen = nn.Linear(10, 10)
        for parameter in self.frozen.parameters():
            parameter.requires_grad = False

    def forward(self, x):
        return self.frozen(self.head(self.features(x).flatten(1))) * self.scale


model = Net()
print(summary(model, input_size=(4, 1, 28, 28), verbose=0))
columns = ["input_size", "output_size", "num_params", "kernel_size", "mult_adds", "trainable"]
print(summary(model, (1, 1, 28, 28), col_names=columns, depth=1, verbose=0, row_settings=["depth", "var_names"]))
result = summary(nn.LSTM(5, 7, num_layers=2, batch_first=True), (3, 6, 5), verbose=0)
print(result.total_params, result.trainable_params, result.total_mult_adds)
print(summary(nn.Embedding(10, 3), input_data=torch.zeros(2, 4, dtype=torch.long), verbose=0))
summary(model, verbose=1)
print(summary(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), (2, 5, 16), verbose=0).total_params)
