"""The training steps and operators that are measured, as a PyTorch user writes them.

Each function takes the library as ``torch`` (PyTorch, or flambeau under the same name) and returns what is called again and
again. Nothing in here knows which of the two it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Step = Callable[[], Any]


def by_hand(torch: Any) -> Step:
    """One weight, four points; gradient by autograd, update written out."""
    X = torch.tensor([1, 2, 3, 4], dtype=torch.float32)
    Y = torch.tensor([2, 4, 6, 8], dtype=torch.float32)
    w = torch.tensor(0.0, dtype=torch.float32, requires_grad=True)

    def step() -> None:
        nonlocal w
        y_predicted = w * X
        loss = ((Y - y_predicted) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.01 * w.grad
        w.grad.zero_()

    return step


def training(model: Any, loss_function: Any, optimizer: Any, inputs: Any, targets: Any) -> Step:
    """Forward, loss, backward, update."""

    def step() -> Any:
        loss = loss_function(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def linear_regression(torch: Any) -> Step:
    """nn.Linear(1, 1), MSELoss, SGD."""
    X = torch.tensor([[1], [2], [3], [4]], dtype=torch.float32)
    model = torch.nn.Linear(1, 1)
    return training(model, torch.nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.01), X, 2 * X)


def logistic_regression(torch: Any) -> Step:
    """569 samples of 30 features, BCELoss, SGD."""
    nn: Any = torch.nn

    class LogisticRegression(nn.Module):
        def __init__(self, n_input_features: int) -> None:
            super().__init__()
            self.linear = nn.Linear(n_input_features, 1)

        def forward(self, x: Any) -> Any:
            return torch.sigmoid(self.linear(x))

    X, y = torch.randn(569, 30), (torch.rand(569, 1) > 0.5).float()
    model = LogisticRegression(30)
    return training(model, nn.BCELoss(), torch.optim.SGD(model.parameters(), lr=0.01), X, y)


def mlp(torch: Any) -> Step:
    """784-500-10, batch 100, Adam."""
    nn: Any = torch.nn

    class NeuralNet(nn.Module):
        def __init__(self, input_size: int, hidden_size: int, num_classes: int) -> None:
            super().__init__()
            self.l1 = nn.Linear(input_size, hidden_size)
            self.relu = nn.ReLU()
            self.l2 = nn.Linear(hidden_size, num_classes)

        def forward(self, x: Any) -> Any:
            return self.l2(self.relu(self.l1(x)))

    images, labels = torch.randn(100, 784), torch.randint(0, 10, (100,))
    model = NeuralNet(784, 500, 10)
    return training(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.001), images, labels)


def cnn(torch: Any, batch: int) -> Step:
    """The small network of the CIFAR tutorial: 6@5×5, 16@5×5, 120-84-10; SGD."""
    nn: Any = torch.nn
    F = torch.nn.functional

    class ConvNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, 6, 5)
            self.pool = nn.MaxPool2d(2, 2)
            self.conv2 = nn.Conv2d(6, 16, 5)
            self.fc1 = nn.Linear(16 * 5 * 5, 120)
            self.fc2 = nn.Linear(120, 84)
            self.fc3 = nn.Linear(84, 10)

        def forward(self, x: Any) -> Any:
            x = self.pool(F.relu(self.conv1(x)))
            x = self.pool(F.relu(self.conv2(x)))
            x = x.view(-1, 16 * 5 * 5)
            x = F.relu(self.fc1(x))
            x = F.relu(self.fc2(x))
            return self.fc3(x)

    images, labels = torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,))
    model = ConvNet()
    return training(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.001), images, labels)


def resnet18(torch: Any) -> Any:
    """The model alone (He et al., "Deep residual learning for image recognition", 2015)."""
    nn: Any = torch.nn

    class BasicBlock(nn.Module):
        def __init__(self, inplanes: int, planes: int, stride: int = 1) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(planes)
            self.relu = nn.ReLU(inplace=True)
            self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(planes)
            self.downsample = None
            if stride != 1 or inplanes != planes:
                self.downsample = nn.Sequential(nn.Conv2d(inplanes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

        def forward(self, x: Any) -> Any:
            identity = x if self.downsample is None else self.downsample(x)
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.bn2(self.conv2(out))
            out += identity
            return self.relu(out)

    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1),
        BasicBlock(64, 64), BasicBlock(64, 64), BasicBlock(64, 128, 2), BasicBlock(128, 128),
        BasicBlock(128, 256, 2), BasicBlock(256, 256), BasicBlock(256, 512, 2), BasicBlock(512, 512),
        nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(512, 1000),
    )  # fmt: skip


def resnet_training(torch: Any) -> Step:
    """ResNet-18, batch 4, 224×224, SGD with momentum."""
    images, labels = torch.randn(4, 3, 224, 224), torch.randint(0, 1000, (4,))
    model = resnet18(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    return training(model, torch.nn.CrossEntropyLoss(), optimizer, images, labels)


def resnet_inference(torch: Any) -> Step:
    """ResNet-18, batch 4, 224×224, in evaluation mode."""
    images = torch.randn(4, 3, 224, 224)
    model = resnet18(torch).eval()

    def step() -> Any:
        with torch.no_grad():
            return model(images)

    return step


def gpt(torch: Any) -> Step:
    """4 layers of width 128 with 4 heads, batch 12 × 64 tokens of 65 kinds, AdamW."""
    nn: Any = torch.nn
    F = torch.nn.functional

    class CausalSelfAttention(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.c_attn = nn.Linear(width, 3 * width)
            self.c_proj = nn.Linear(width, width)
            self.n_head = heads

        def forward(self, x: Any) -> Any:
            B, T, C = x.size()
            q, k, v = self.c_attn(x).split(C, dim=2)
            q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
            k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
            v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))

    class Block(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.ln_1 = nn.LayerNorm(width)
            self.attn = CausalSelfAttention(width, heads)
            self.ln_2 = nn.LayerNorm(width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            x = x + self.attn(self.ln_1(x))
            return x + self.mlp(self.ln_2(x))

    class GPT(nn.Module):
        def __init__(self, vocabulary: int, length: int, layers: int, width: int, heads: int) -> None:
            super().__init__()
            self.wte = nn.Embedding(vocabulary, width)
            self.wpe = nn.Embedding(length, width)
            self.h = nn.ModuleList([Block(width, heads) for _ in range(layers)])
            self.ln_f = nn.LayerNorm(width)
            self.lm_head = nn.Linear(width, vocabulary, bias=False)

        def forward(self, tokens: Any) -> Any:
            x = self.wte(tokens) + self.wpe(torch.arange(tokens.size(1)))
            for block in self.h:
                x = block(x)
            return self.lm_head(self.ln_f(x)).flatten(0, 1)

    tokens, targets = torch.randint(0, 65, (12, 64)), torch.randint(0, 65, (12 * 64,))
    model = GPT(65, 64, 4, 128, 4)
    return training(model, nn.CrossEntropyLoss(), torch.optim.AdamW(model.parameters(), lr=0.001), tokens, targets)


def lstm(torch: Any) -> Step:
    """2 layers of 128 over 28 rows of 28 pixels, batch 100, Adam."""
    nn: Any = torch.nn

    class RNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(28, 128, 2, batch_first=True)
            self.fc = nn.Linear(128, 10)

        def forward(self, x: Any) -> Any:
            h0, c0 = torch.zeros(2, x.size(0), 128), torch.zeros(2, x.size(0), 128)
            out, _ = self.lstm(x, (h0, c0))
            return self.fc(out[:, -1, :])

    images, labels = torch.randn(100, 28, 28), torch.randint(0, 10, (100,))
    model = RNN()
    return training(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.001), images, labels)


# Operators


def exponential(torch: Any) -> Step:
    """exp of 16M floats."""
    x = torch.randn(1 << 24)
    return lambda: torch.exp(x)


def gelu(torch: Any) -> Step:
    """GELU by the error function, of 16M floats."""
    x = torch.randn(1 << 24)
    return lambda: torch.nn.functional.gelu(x)


def total(torch: Any) -> Step:
    """The sum of 16M floats."""
    x = torch.randn(1 << 24)
    return lambda: x.sum()


def softmax(torch: Any) -> Step:
    """4096×1024, over the last dimension."""
    x = torch.randn(4096, 1024)
    return lambda: torch.softmax(x, dim=-1)


def layer_norm(torch: Any) -> Step:
    """4096×1024, over the last dimension, with weight and bias."""
    x, weight, bias = torch.randn(4096, 1024), torch.randn(1024), torch.randn(1024)
    return lambda: torch.nn.functional.layer_norm(x, (1024,), weight, bias)


def convolution(torch: Any) -> Step:
    """3×3, 64 channels to 64, 56×56, batch 8; forward."""
    x, weight = torch.randn(8, 64, 56, 56), torch.randn(64, 64, 3, 3)
    return lambda: torch.nn.functional.conv2d(x, weight, padding=1)


def matrix_product(torch: Any) -> Step:
    """1024×1024 times 1024×1024."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    return lambda: a @ b
