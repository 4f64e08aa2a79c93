import torch
import torchvision
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms
from torchvision.transforms import functional as TF
from torchvision.utils import make_grid

print(torchvision.__version__.split("+")[0])
transform = transforms.Compose([transforms.Resize(40), transforms.CenterCrop(32), transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
data = datasets.FakeData(size=6, image_size=(3, 48, 48), num_classes=3, transform=transform)
images, labels = next(iter(DataLoader(data, batch_size=6)))
print(images.shape, images.dtype, labels.dtype, bool(images.min() >= -1), bool(images.max() <= 1))
print(make_grid(images, nrow=3).shape, TF.hflip(images).equal(images.flip(-1)))
model = models.resnet18(weights=None)
print(sum(p.numel() for p in model.parameters()), len(model.state_dict()))
model.fc = torch.nn.Linear(model.fc.in_features, 2)
print(model.eval()(images).shape)
