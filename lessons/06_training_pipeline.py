"""The training pipeline: model, loss, optimizer

Every training program has the same three parts and the same loop. Once you have seen it, you can read all of them:

1. Design the **model**: what goes in, what comes out, what is computed between (`forward`).
2. Choose the **loss** (how bad is a prediction?) and the **optimizer** (how are the weights changed?).
3. Loop: predict, compute the loss, compute the gradients, update the weights, set the gradients to zero.

This lesson builds a pipeline, changes one part at a time and watches what happens. And it adds what every honest pipeline
has: data that the model does not learn from, to see whether it has understood or only memorised.
"""

# %%
import argparse
import tempfile
import textwrap
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

import flambeau as torch
import flambeau.nn as nn

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
# ## The data
#
# A sine curve, measured with errors, at 200 random places. 150 measurements are for training, 50 for testing. Some devices
# fail now and then: every tenth training measurement is far too large. (The test measurements are sound.)

# %%
torch.manual_seed(0)
x = 6 * torch.rand(200, 1) - 3
y = torch.sin(x) + 0.1 * torch.randn(200, 1)
x_train, y_train, x_test, y_test = x[:150], y[:150].clone(), x[150:], y[150:]
broken = y_train.clone()
broken[::10] += 3
print("to learn from:", tuple(x_train.shape), " to be tested on:", tuple(x_test.shape), " broken:", len(broken[::10]))
# Output:
#     to learn from: (150, 1)  to be tested on: (50, 1)  broken: 15

# %% [markdown]
# ## Part 1: the model
#
# A straight line cannot follow a sine. Two linear layers with a bend between them can: the first makes 32 numbers from one, the
# activation `Tanh` bends each of them, the second adds them up (lesson 12 says more about activations).
#
# $$\hat y = W_2 \tanh(W_1 x + b_1) + b_2$$
#
# `nn.Sequential` calls one module after the other. It has $32 + 32 + 32 + 1 = 97$ numbers to learn.


# %%
def make_model():
    torch.manual_seed(1)  # every experiment begins with the same weights
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))


model = make_model()
print(model)
print("parameters:", sum(each.numel() for each in model.parameters()))
# Output:
#     Sequential(
#       (0): Linear(in_features=1, out_features=32, bias=True)
#       (1): Tanh()
#       (2): Linear(in_features=32, out_features=1, bias=True)
#     )
#     parameters: 97

# %% [markdown]
# ## Parts 2 and 3: loss, optimizer, loop
#
# The loop is a function, and the parts are its arguments. `model.train()` and `model.eval()` tell the model what is going on;
# some layers (dropout, batch normalisation) behave differently then. Testing needs no history: `torch.no_grad()`.


# %%
def train(model, criterion, optimizer, x, y, epochs=400):
    """Train, and return the losses of all epochs."""
    model.train()
    losses = []
    for _ in range(epochs):
        predicted = model(x)  # forward pass
        loss = criterion(predicted, y)
        loss.backward()  # backward pass
        optimizer.step()  # update
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def test(model):
    """The mean squared error on data that the model has never seen."""
    model.eval()
    with torch.no_grad():
        return nn.functional.mse_loss(model(x_test), y_test).item()


print(f"before training: test error {test(model):.4f}")
losses = train(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.1), x_train, y_train)
print(f"after training:  test error {test(model):.4f}, last training loss {losses[-1]:.4f}")
# Output:
#     before training: test error 0.8930
#     after training:  test error 0.0159, last training loss 0.0122

# %% [markdown]
# How good could it be? Even the true curve does not pass through the measurements, since these have errors: 0.1 each, so about
# $0.1^2 = 0.01$ in the mean square. For our 50 test points we can compute it, as we know the true curve.

# %%
print(f"test error of the true curve: {nn.functional.mse_loss(torch.sin(x_test), y_test).item():.4f}")
# Output:
#     test error of the true curve: 0.0152

# %% [markdown]
# ## Another optimizer
#
# One argument changes, nothing else. After 100 epochs the momentum has paid: the loss is where SGD alone is after 400. Adam,
# which chooses a step length for each weight, lies between them at first and ends lowest, by very little. On the test points
# all three are equally good.

# %%
curves = {}
for name, make_optimizer in [
    ("SGD", lambda weights: torch.optim.SGD(weights, lr=0.1)),
    ("SGD with momentum", lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9)),
    ("Adam", lambda weights: torch.optim.Adam(weights, lr=0.02)),
]:
    model = make_model()
    curves[name] = train(model, nn.MSELoss(), make_optimizer(model.parameters()), x_train, y_train)
    print(f"{name}: loss after 100 epochs {curves[name][99]:.4f}, after 400 {curves[name][-1]:.4f}, test {test(model):.4f}")
# Output:
#     SGD: loss after 100 epochs 0.0251, after 400 0.0122, test 0.0159
#     SGD with momentum: loss after 100 epochs 0.0110, after 400 0.0095, test 0.0156
#     Adam: loss after 100 epochs 0.0198, after 400 0.0093, test 0.0158

# %% [markdown]
# ## Another loss
#
# Now the training data with broken measurements. The squared error of a value that is wrong by 3 is 9: it outweighs
# hundreds of good ones, and the curve is pulled up. The absolute error counts it as 3 only.
#
# $$L_{MSE} = \tfrac1N\sum(\hat y_i - y_i)^2 \qquad L_{L1} = \tfrac1N\sum|\hat y_i - y_i|$$
#
# `nn.SmoothL1Loss` is the first for small errors and the second for large ones. What the loss forgives, the model ignores.

# %%
robust = {}
for name, criterion in [("MSELoss", nn.MSELoss()), ("L1Loss", nn.L1Loss()), ("SmoothL1Loss", nn.SmoothL1Loss(beta=0.2))]:
    model = make_model()
    train(model, criterion, torch.optim.Adam(model.parameters(), lr=0.02), x_train, broken)
    robust[name] = model
    print(f"{name}: test error {test(model):.4f}")
# Output:
#     MSELoss: test error 0.1603
#     L1Loss: test error 0.0171
#     SmoothL1Loss: test error 0.0164

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
for name, curve in curves.items():
    left.semilogy(curve, label=name)
left.set(title="Three optimizers", xlabel="epoch", ylabel="training loss")
left.legend()
grid = torch.linspace(-3, 3, 200).view(-1, 1)
right.plot(x_train, broken, ".", color="lightgrey")
with torch.no_grad():
    for name, model in robust.items():
        right.plot(grid, model(grid), label=name)
right.set(title="Three losses, broken measurements", xlabel="x", ylabel="y")
right.legend()
figure.savefig(out / "06_pipeline.png")
print("Picture:", out / "06_pipeline.png")
# Output:
#     Picture: …06_pipeline.png

# %% [markdown]
# ## When it does not learn
#
# Most mistakes in a pipeline raise no error. A forgotten `zero_grad()` is the best known. flambeau (unlike PyTorch) has a doctor: under
# `torch.doctor.watch(model, optimizer)` it looks on, and says in plain words what is wrong, where, and what helps. It
# prints; here we take what it says ourselves.

# %%
model = make_model()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
with torch.doctor.watch(model, optimizer, report=lambda finding: None) as doctor:
    for _ in range(3):
        loss = nn.functional.mse_loss(model(x_train), y_train)
        loss.backward()
        optimizer.step()
for finding in doctor.findings:
    print(finding.kind)
    print(textwrap.fill("What is wrong: " + finding.message, 100))
    print("Where:", finding.source)
    print(textwrap.fill("Remedy: " + finding.remedy, 100))
# Output:
#     gradients-not-zeroed
#     What is wrong: backward() adds to the gradients of the step before, which nobody has zeroed
#     ('0.weight', '0.bias', '2.weight' and '2.bias'): each step follows the sum of all gradients so far.
#     Where: loss.backward()
#     Remedy: call optimizer.zero_grad() once in each step, before loss.backward() (or w.grad.zero_() for
#     each parameter, when you update by hand).
