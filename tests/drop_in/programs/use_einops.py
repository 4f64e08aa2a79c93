import einops
import torch
from einops import einsum, pack, parse_shape, rearrange, reduce, repeat, unpack
from einops.layers.torch import EinMix, Rearrange, Reduce

images = torch.arange(2 * 3 * 4 * 6, dtype=torch.float32).view(2, 3, 4, 6)
print(rearrange(images, "b c (h h2) (w w2) -> b (c h2 w2) h w", h2=2, w2=2).shape)
print(rearrange(images, "b c h w -> (b h) (w c)")[1, :4])
print(rearrange([images[0], images[1]], "b c h w -> h w (b c)").shape)
print(reduce(images, "b c h w -> b c", "mean"), reduce(images, "b c (h 2) w -> b c h", "max")[0, 0])
print(reduce(images, "b c h w -> c", "sum"), reduce(images > 5, "b c h w -> b", "any"), reduce(images[:, :, 0, 0] / 100, "b c -> b", "prod"))
print(repeat(torch.tensor([1, 2]), "n -> n k", k=3))
print(einsum(images, torch.ones(3, 5), "b c h w, c k -> b h w k")[0, 0, 0])
packed, shapes = pack([torch.ones(2, 3), torch.zeros(2, 4, 5)], "b *")
print(packed.shape, [part.shape for part in unpack(packed, shapes, "b *")], parse_shape(images, "b c _ w"))

x = images.clone().requires_grad_()
rearrange(x, "b c h w -> b (c h w)").pow(2).sum().backward()
print(torch.equal(x.grad, 2 * images))

torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Conv2d(3, 4, 3, padding=1),
    Reduce("b c (h 2) (w 2) -> b c h w", "max"),
    Rearrange("b c h w -> b (c h w)"),
    torch.nn.Linear(24, 5),
)
print(model)
print([f"{value:.4f}" for value in model(images / 100)[0].tolist()])
mix = EinMix("b c h w -> b h w k", weight_shape="c k", bias_shape="k", c=3, k=2)
print(mix(images).shape, [name for name, _ in mix.named_parameters()])
try:
    rearrange(images, "b c h w -> b c h")
except einops.EinopsError as error:
    print(type(error).__name__)
