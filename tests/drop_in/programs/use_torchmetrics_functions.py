# Nearly every function of torchmetrics, once.
import inspect

import torch
import torchmetrics.functional as all_functions
import torchmetrics.functional.audio as audio
import torchmetrics.functional.classification as classification
import torchmetrics.functional.clustering as clustering
import torchmetrics.functional.image as image
import torchmetrics.functional.nominal as nominal
import torchmetrics.functional.pairwise as pairwise
import torchmetrics.functional.regression as regression
import torchmetrics.functional.retrieval as retrieval
import torchmetrics.functional.text as text

# These want weights from the network, or packages of their own.
LEFT_OUT = ("learned", "arniqa", "quality_with_no", "d_lambda", "structure_and_texture", "path_length", "perceptual", "intelligibility",
            "opinion", "non_intrusive", "reverberation")

generator = torch.Generator().manual_seed(0)


def rand(*sizes):
    return torch.rand(*sizes, generator=generator)


def integers(high, *sizes):
    return torch.randint(high, sizes, generator=generator)


def numbers(value):
    if isinstance(value, dict):
        return [each for key in value for each in numbers(value[key])]
    if isinstance(value, (tuple, list)):
        return [each for part in value for each in numbers(part)]
    return [round(float(each), 3) for each in torch.as_tensor(value).double().flatten()[:6]]


def show(function, *args, **kwargs):
    name = function.__name__
    if any(part in name for part in LEFT_OUT):
        return
    try:
        print(name, numbers(function(*args, **kwargs)))
    except Exception as error:
        print(name, type(error).__name__, str(error)[:100])


def functions(module):
    return [getattr(module, name) for name in sorted(module.__all__)]


inputs = {
    "binary": (rand(40), integers(2, 40)),
    "multiclass": (rand(40, 3).softmax(1), integers(3, 40)),
    "multilabel": (rand(40, 3), integers(2, 40, 3)),
}
values = {"num_classes": 3, "num_labels": 3, "beta": 2.0, "min_precision": 0.5, "min_recall": 0.5, "min_sensitivity": 0.5, "min_specificity": 0.5}
for function in functions(classification):
    for kind, args in inputs.items():
        if kind in function.__name__:
            wanted = inspect.signature(function).parameters
            show(function, *args, **{name: value for name, value in values.items() if name in wanted})

a, b = rand(40) + 0.1, rand(40) + 0.1
classes, others = integers(4, 40), integers(4, 40)
distributions = inputs["multiclass"][0]
for function in functions(regression):
    if "kl" in function.__name__ or "jensen" in function.__name__:
        show(function, distributions, distributions.flip(0))
    elif "cosine" in function.__name__:
        show(function, a.view(20, 2), b.view(20, 2))
    else:
        show(function, a, b)
first, second = rand(2, 3, 48, 48), rand(2, 3, 48, 48)
for function in functions(image):
    images = (first,) if function.__name__ in ("total_variation", "image_gradients") else (first, second)
    show(function, *images, **({"data_range": 1.0} if "data_range" in inspect.signature(function).parameters else {}))
for function in functions(clustering):
    show(function, *((distributions, classes) if "data" in inspect.signature(function).parameters else (classes, others)))
for function in functions(nominal):
    pair = (torch.stack([classes, others], 1),) if "matrix" in function.__name__ or "fleiss" in function.__name__ else (classes, others)
    show(function, *pair)
for function in functions(retrieval):
    show(function, *inputs["binary"])
for function in functions(pairwise):
    show(function, distributions[:4], distributions[4:9])
waves = torch.randn(2, 800, generator=generator), torch.randn(2, 800, generator=generator)
for function in functions(audio):
    show(function, *waves)
for name in ("bleu_score", "chrf_score", "sacre_bleu_score", "translation_edit_rate", "extended_edit_distance"):
    show(getattr(text, name), ["the cat is on the mat"], [["there is a cat on the mat"]])
for name in ("char_error_rate", "match_error_rate", "word_error_rate", "word_information_lost", "word_information_preserved", "edit_distance"):
    show(getattr(text, name), ["this is it"], ["that was it"])
show(text.perplexity, rand(2, 8, 5), integers(5, 2, 8))
show(all_functions.accuracy, *inputs["multiclass"], task="multiclass", num_classes=3)
