"""What transforms print, which is what torchvision prints."""
# ruff: noqa: E501

import pytest

import flambeau as torch
from flambeau.vision import transforms as T
from flambeau.vision.transforms import v2

B = T.InterpolationMode.BICUBIC

PRINTED = [
    (lambda: T.ToTensor(), "ToTensor()"),
    (lambda: T.PILToTensor(), "PILToTensor()"),
    (lambda: T.ToPILImage(), "ToPILImage()"),
    (lambda: T.ToPILImage("RGB"), "ToPILImage(mode=RGB)"),
    (lambda: T.ConvertImageDtype(torch.float32), "ConvertImageDtype()"),
    (lambda: T.Normalize((0.5,), (0.5,)), "Normalize(mean=(0.5,), std=(0.5,))"),
    (lambda: T.Normalize([0.5, 1, 2], [0.5, 1, 1], inplace=True), "Normalize(mean=[0.5, 1, 2], std=[0.5, 1, 1])"),
    (
        lambda: T.Compose([T.ToTensor(), T.Normalize((0.5,), (0.5,))]),
        "Compose(\n    ToTensor()\n    Normalize(mean=(0.5,), std=(0.5,))\n)",
    ),
    (lambda: T.Compose([]), "Compose(\n)"),
    (lambda: T.Resize(3), "Resize(size=3, interpolation=bilinear, max_size=None, antialias=True)"),
    (
        lambda: T.Resize((3, 4), B, antialias=None),
        "Resize(size=(3, 4), interpolation=bicubic, max_size=None, antialias=None)",
    ),
    (lambda: T.Resize([3], max_size=7), "Resize(size=[3], interpolation=bilinear, max_size=7, antialias=True)"),
    (lambda: T.CenterCrop(3), "CenterCrop(size=(3, 3))"),
    (lambda: T.Pad(3), "Pad(padding=3, fill=0, padding_mode=constant)"),
    (lambda: T.Pad((1, 2), fill=3, padding_mode="edge"), "Pad(padding=(1, 2), fill=3, padding_mode=edge)"),
    (lambda: T.Lambda(abs), "Lambda()"),
    (lambda: T.Lambda(lambda x: x), "Lambda()"),
    (lambda: T.RandomApply([T.ToTensor()], 0.3), "RandomApply(\n    p=0.3\n    ToTensor()\n)"),
    (
        lambda: T.RandomApply(torch.nn.ModuleList([T.Grayscale()]), 0.3),
        "RandomApply(\n    p=0.3\n    Grayscale(num_output_channels=1)\n)",
    ),
    (lambda: T.RandomOrder([T.ToTensor()]), "RandomOrder(\n    ToTensor()\n)"),
    (
        lambda: T.RandomChoice([T.ToTensor(), T.Grayscale()], [0.3, 0.7]),
        "RandomChoice(\n    ToTensor()\n    Grayscale(num_output_channels=1)\n)(p=[0.3, 0.7])",
    ),
    (lambda: T.RandomCrop(3), "RandomCrop(size=(3, 3), padding=None)"),
    (
        lambda: T.RandomCrop((3, 4), padding=4, pad_if_needed=True, fill=2, padding_mode="reflect"),
        "RandomCrop(size=(3, 4), padding=4)",
    ),
    (lambda: T.RandomHorizontalFlip(), "RandomHorizontalFlip(p=0.5)"),
    (lambda: T.RandomVerticalFlip(0.3), "RandomVerticalFlip(p=0.3)"),
    (lambda: T.RandomPerspective(), "RandomPerspective(p=0.5)"),
    (
        lambda: T.RandomResizedCrop(224),
        "RandomResizedCrop(size=(224, 224), scale=(0.08, 1.0), ratio=(0.75, 1.3333), interpolation=bilinear, antialias=True)",
    ),
    (
        lambda: T.RandomResizedCrop((22, 24), (0.123456, 0.5), (1, 2), B, antialias=False),
        "RandomResizedCrop(size=(22, 24), scale=(0.1235, 0.5), ratio=(1, 2), interpolation=bicubic, antialias=False)",
    ),
    (lambda: T.FiveCrop(3), "FiveCrop(size=(3, 3))"),
    (lambda: T.TenCrop(3, True), "TenCrop(size=(3, 3), vertical_flip=True)"),
    (
        lambda: T.LinearTransformation(torch.eye(2), torch.zeros(2)),
        "LinearTransformation(transformation_matrix=[[1.0, 0.0], [0.0, 1.0]], mean_vector=[0.0, 0.0])",
    ),
    (lambda: T.ColorJitter(), "ColorJitter(brightness=None, contrast=None, saturation=None, hue=None)"),
    (
        lambda: T.ColorJitter(0.5, (0.1, 2), 0.2, 0.1),
        "ColorJitter(brightness=(0.5, 1.5), contrast=(0.1, 2.0), saturation=(0.8, 1.2), hue=(-0.1, 0.1))",
    ),
    (
        lambda: T.RandomRotation(10),
        "RandomRotation(degrees=[-10.0, 10.0], interpolation=nearest, expand=False, fill=0)",
    ),
    (
        lambda: T.RandomRotation((1, 2), B, True, (3, 4), 5),
        "RandomRotation(degrees=[1.0, 2.0], interpolation=bicubic, expand=True, center=(3, 4), fill=5)",
    ),
    (lambda: T.RandomAffine(10), "RandomAffine(degrees=[-10.0, 10.0])"),
    (
        lambda: T.RandomAffine((1, 2), (0.1, 0.2), (1, 2), 5, B, 7, (1, 1)),
        "RandomAffine(degrees=[1.0, 2.0], translate=(0.1, 0.2), scale=(1, 2), shear=[-5.0, 5.0], interpolation=bicubic, fill=7, center=(1, 1))",
    ),
    (lambda: T.RandomAffine(0, shear=[1, 2, 3, 4]), "RandomAffine(degrees=[0.0, 0.0], shear=[1.0, 2.0, 3.0, 4.0])"),
    (lambda: T.Grayscale(), "Grayscale(num_output_channels=1)"),
    (lambda: T.Grayscale(3), "Grayscale(num_output_channels=3)"),
    (lambda: T.RandomGrayscale(), "RandomGrayscale(p=0.1)"),
    (lambda: T.RandomErasing(), "RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False)"),
    (
        lambda: T.RandomErasing(value="random", inplace=True),
        "RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=random, inplace=True)",
    ),
    (lambda: T.GaussianBlur(3), "GaussianBlur(kernel_size=(3, 3), sigma=(0.1, 2.0))"),
    (lambda: T.GaussianBlur((3, 5), (0.2, 0.3)), "GaussianBlur(kernel_size=(3, 5), sigma=(0.2, 0.3))"),
    (lambda: T.GaussianBlur((3, 5), 2), "GaussianBlur(kernel_size=(3, 5), sigma=(2, 2))"),
    (lambda: T.RandomInvert(), "RandomInvert(p=0.5)"),
    (lambda: T.RandomPosterize(3), "RandomPosterize(bits=3,p=0.5)"),
    (lambda: T.RandomSolarize(3), "RandomSolarize(threshold=3,p=0.5)"),
    (lambda: T.RandomAdjustSharpness(3), "RandomAdjustSharpness(sharpness_factor=3,p=0.5)"),
    (lambda: T.RandomAutocontrast(), "RandomAutocontrast(p=0.5)"),
    (lambda: T.RandomEqualize(), "RandomEqualize(p=0.5)"),
    (
        lambda: T.ElasticTransform(),
        "ElasticTransform(alpha=[50.0, 50.0], sigma=[5.0, 5.0], interpolation=InterpolationMode.BILINEAR, fill=[0.0])",
    ),
    (
        lambda: T.ElasticTransform([1.0, 2.0], 3.0, B, 1),
        "ElasticTransform(alpha=[1.0, 2.0], sigma=[3.0, 3.0], interpolation=InterpolationMode.BICUBIC, fill=[1.0])",
    ),
    (lambda: T.AutoAugment(), "AutoAugment(policy=AutoAugmentPolicy.IMAGENET, fill=None)"),
    (
        lambda: T.AutoAugment(T.AutoAugmentPolicy.CIFAR10, B, [1.0]),
        "AutoAugment(policy=AutoAugmentPolicy.CIFAR10, fill=[1.0])",
    ),
    (
        lambda: T.RandAugment(),
        "RandAugment(num_ops=2, magnitude=9, num_magnitude_bins=31, interpolation=InterpolationMode.NEAREST, fill=None)",
    ),
    (
        lambda: T.TrivialAugmentWide(),
        "TrivialAugmentWide(num_magnitude_bins=31, interpolation=InterpolationMode.NEAREST, fill=None)",
    ),
    (
        lambda: T.AugMix(),
        "AugMix(severity=3, mixture_width=3, chain_depth=-1, alpha=1.0, all_ops=True, interpolation=InterpolationMode.BILINEAR, fill=None)",
    ),
    (lambda: v2.ToTensor(), "ToTensor()"),
    (lambda: v2.ToImage(), "ToImage()"),
    (lambda: v2.PILToTensor(), "PILToTensor()"),
    (lambda: v2.ToPILImage(), "ToPILImage()"),
    (lambda: v2.ToPILImage("L"), "ToPILImage(mode=L)"),
    (lambda: v2.ToDtype(torch.float32, scale=True), "ToDtype(scale=True)"),
    (lambda: v2.ToDtype({"others": None, torch.Tensor: torch.float32}), "ToDtype(scale=False)"),
    (lambda: v2.ConvertImageDtype(torch.float32), "ConvertImageDtype()"),
    (lambda: v2.ToPureTensor(), "ToPureTensor()"),
    (lambda: v2.Normalize((0.5,), (0.5,)), "Normalize(mean=[0.5], std=[0.5], inplace=False)"),
    (
        lambda: v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize((0.5,), (0.5,))]),
        "Compose(\n      ToImage()\n      ToDtype(scale=True)\n      Normalize(mean=[0.5], std=[0.5], inplace=False)\n)",
    ),
    (lambda: v2.Resize(3), "Resize(size=[3], interpolation=bilinear, antialias=True)"),
    (lambda: v2.Resize((3, 4), B, antialias=None), "Resize(size=[3, 4], interpolation=InterpolationMode.BICUBIC)"),
    (lambda: v2.CenterCrop(3), "CenterCrop(size=(3, 3))"),
    (lambda: v2.Pad(3), "Pad(padding=3, fill=0, padding_mode=constant)"),
    (lambda: v2.Pad((1, 2), fill=3, padding_mode="edge"), "Pad(padding=[1, 2], fill=3, padding_mode=edge)"),
    (lambda: v2.Lambda(abs), "Lambda(abs, types=['object'])"),
    (lambda: v2.RandomApply([v2.ToImage()], 0.3), "RandomApply(    ToImage())"),
    (lambda: v2.RandomOrder([v2.ToImage()]), "RandomOrder(transforms=[ToImage()])"),
    (
        lambda: v2.RandomChoice([v2.ToImage(), v2.Grayscale()], [0.3, 0.7]),
        "RandomChoice(transforms=[ToImage(), Grayscale(num_output_channels=1)], p=[0.3, 0.7])",
    ),
    (lambda: v2.RandomCrop(3), "RandomCrop(size=(3, 3), pad_if_needed=False, fill=0, padding_mode=constant)"),
    (
        lambda: v2.RandomCrop((3, 4), padding=4, pad_if_needed=True, fill=2, padding_mode="reflect"),
        "RandomCrop(size=(3, 4), padding=[4, 4, 4, 4], pad_if_needed=True, fill=2, padding_mode=reflect)",
    ),
    (lambda: v2.RandomHorizontalFlip(), "RandomHorizontalFlip(p=0.5)"),
    (lambda: v2.RandomVerticalFlip(0.3), "RandomVerticalFlip(p=0.3)"),
    (lambda: v2.RandomPerspective(), "RandomPerspective(p=0.5, distortion_scale=0.5, interpolation=bilinear, fill=0)"),
    (
        lambda: v2.RandomResizedCrop(224),
        "RandomResizedCrop(size=(224, 224), scale=(0.08, 1.0), ratio=(0.75, 1.3333333333333333), interpolation=bilinear, antialias=True)",
    ),
    (lambda: v2.FiveCrop(3), "FiveCrop(size=(3, 3))"),
    (lambda: v2.TenCrop(3, True), "TenCrop(size=(3, 3), vertical_flip=True)"),
    (lambda: v2.ColorJitter(), "ColorJitter()"),
    (
        lambda: v2.ColorJitter(0.5, (0.1, 2), 0.2, 0.1),
        "ColorJitter(brightness=(0.5, 1.5), contrast=(0.1, 2.0), saturation=(0.8, 1.2), hue=(-0.1, 0.1))",
    ),
    (
        lambda: v2.RandomRotation(10),
        "RandomRotation(degrees=[-10.0, 10.0], interpolation=nearest, expand=False, fill=0)",
    ),
    (
        lambda: v2.RandomRotation((1, 2), B, True, [3, 4], 5),
        "RandomRotation(degrees=[1.0, 2.0], interpolation=InterpolationMode.BICUBIC, expand=True, fill=5, center=[3, 4])",
    ),
    (lambda: v2.RandomAffine(10), "RandomAffine(degrees=[-10.0, 10.0], interpolation=nearest, fill=0)"),
    (
        lambda: v2.RandomAffine((1, 2), (0.1, 0.2), (1, 2), 5, B, 7, [1, 1]),
        "RandomAffine(degrees=[1.0, 2.0], translate=(0.1, 0.2), scale=(1, 2), shear=[-5.0, 5.0], interpolation=InterpolationMode.BICUBIC, fill=7, center=[1, 1])",
    ),
    (lambda: v2.Grayscale(), "Grayscale(num_output_channels=1)"),
    (lambda: v2.RGB(), "RGB()"),
    (lambda: v2.RandomGrayscale(), "RandomGrayscale(p=0.1)"),
    (
        lambda: v2.RandomErasing(),
        "RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=[0.0], inplace=False)",
    ),
    (
        lambda: v2.RandomErasing(value="random", inplace=True),
        "RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), inplace=True)",
    ),
    (lambda: v2.GaussianBlur(3), "GaussianBlur(kernel_size=(3, 3), sigma=[0.1, 2.0])"),
    (lambda: v2.GaussianBlur((3, 5), 2), "GaussianBlur(kernel_size=(3, 5), sigma=[2.0, 2.0])"),
    (lambda: v2.RandomInvert(), "RandomInvert(p=0.5)"),
    (lambda: v2.RandomPosterize(3), "RandomPosterize(p=0.5, bits=3)"),
    (lambda: v2.RandomSolarize(3), "RandomSolarize(p=0.5, threshold=3)"),
    (lambda: v2.RandomAdjustSharpness(3), "RandomAdjustSharpness(p=0.5, sharpness_factor=3)"),
    (lambda: v2.RandomAutocontrast(), "RandomAutocontrast(p=0.5)"),
    (lambda: v2.RandomEqualize(), "RandomEqualize(p=0.5)"),
    (
        lambda: v2.ElasticTransform(),
        "ElasticTransform(alpha=[50.0, 50.0], sigma=[5.0, 5.0], interpolation=bilinear, fill=0)",
    ),
    (lambda: v2.Identity(), "Identity()"),
    (lambda: v2.ClampBoundingBoxes(), "ClampBoundingBoxes(clamping_mode=auto)"),
    (lambda: v2.ConvertBoundingBoxFormat("XYXY"), "ConvertBoundingBoxFormat(format=XYXY)"),
    (lambda: v2.AutoAugment(), "AutoAugment(interpolation=nearest, policy=AutoAugmentPolicy.IMAGENET)"),
    (
        lambda: v2.AutoAugment(T.AutoAugmentPolicy.CIFAR10, B, [1.0]),
        "AutoAugment(interpolation=InterpolationMode.BICUBIC, fill=[1.0], policy=AutoAugmentPolicy.CIFAR10)",
    ),
    (lambda: v2.RandAugment(), "RandAugment(interpolation=nearest, num_ops=2, magnitude=9, num_magnitude_bins=31)"),
    (lambda: v2.TrivialAugmentWide(), "TrivialAugmentWide(interpolation=nearest, num_magnitude_bins=31)"),
    (lambda: v2.LinearTransformation(torch.eye(2), torch.zeros(2)), "LinearTransformation()"),
    (lambda: v2.GaussianNoise(), "GaussianNoise(mean=0.0, sigma=0.1, clip=True)"),
    (
        lambda: v2.RandomPhotometricDistort(),
        "RandomPhotometricDistort(brightness=(0.875, 1.125), contrast=(0.5, 1.5), hue=(-0.05, 0.05), saturation=(0.5, 1.5), p=0.5)",
    ),
    (lambda: v2.RandomZoomOut(), "RandomZoomOut(p=0.5, fill=0, side_range=(1.0, 4.0))"),
    (
        lambda: v2.RandomIoUCrop(),
        "RandomIoUCrop(min_scale=0.3, max_scale=1.0, min_aspect_ratio=0.5, max_aspect_ratio=2.0, options=[0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0], trials=40)",
    ),
    (lambda: v2.RandomShortestSize(3), "RandomShortestSize(min_size=[3], interpolation=bilinear, antialias=True)"),
    (lambda: v2.RandomResize(3, 4), "RandomResize(min_size=3, max_size=4, interpolation=bilinear, antialias=True)"),
    (
        lambda: v2.ScaleJitter((3, 4)),
        "ScaleJitter(target_size=(3, 4), scale_range=(0.1, 2.0), interpolation=bilinear, antialias=True)",
    ),
    (lambda: v2.SanitizeBoundingBoxes(), "SanitizeBoundingBoxes(min_size=1.0, min_area=1.0, labels_getter=default)"),
    (lambda: v2.CutMix(num_classes=3), "CutMix(alpha=1.0, num_classes=3)"),
    (lambda: v2.MixUp(num_classes=3), "MixUp(alpha=1.0, num_classes=3)"),
    (lambda: v2.RandomChannelPermutation(), "RandomChannelPermutation()"),
    (lambda: v2.JPEG(50), "JPEG(quality=[50, 50])"),
]


@pytest.mark.parametrize(("make", "printed"), PRINTED, ids=[printed.split("(")[0] for _, printed in PRINTED])
def test_printed(make: object, printed: str) -> None:
    assert repr(make()) == printed
