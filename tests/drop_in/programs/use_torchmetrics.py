import torch
import torchmetrics
from torchmetrics import MeanMetric, MetricCollection, MetricTracker
from torchmetrics.classification import (
    BinaryAUROC, BinaryAveragePrecision, BinaryCalibrationError, MulticlassAccuracy, MulticlassConfusionMatrix, MulticlassF1Score,
    MulticlassPrecision, MulticlassRecall, MultilabelF1Score,
)
from torchmetrics.functional import accuracy, mean_squared_error, pairwise_cosine_similarity, r2_score
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure
from torchmetrics.regression import MeanAbsoluteError, PearsonCorrCoef, R2Score, SpearmanCorrCoef
from torchmetrics.retrieval import RetrievalMAP
from torchmetrics.text import BLEUScore, WordErrorRate


def show(name, value):
    if isinstance(value, dict):
        for key in value:
            show(f"{name}.{key}", value[key])
        return
    print(name, [round(number, 4) for number in torch.as_tensor(value, dtype=torch.float64).flatten().tolist()])


generator = torch.Generator().manual_seed(0)
scores = torch.rand(60, 4, generator=generator)
target = torch.randint(4, (60,), generator=generator)
probabilities, labels = torch.rand(60, generator=generator), torch.randint(2, (60,), generator=generator)

collection = MetricCollection(
    [MulticlassAccuracy(4), MulticlassPrecision(4, average="macro"), MulticlassRecall(4), MulticlassF1Score(4, average=None)]
)
for batch in torch.arange(60).split(20):
    collection.update(scores[batch], target[batch])
show("collection", collection.compute())
collection.reset()
show("again", collection(scores, target))
show("confusion", MulticlassConfusionMatrix(4)(scores, target))
for metric in (BinaryAUROC(), BinaryAveragePrecision(), BinaryCalibrationError(n_bins=5), BinaryAUROC(thresholds=10)):
    show(type(metric).__name__, metric(probabilities, labels))
show("multilabel", MultilabelF1Score(4)(scores, (scores > 0.6).int()))
show("topk", accuracy(scores, target, task="multiclass", num_classes=4, top_k=2))

a, b = torch.randn(50, generator=generator), torch.randn(50, generator=generator)
for metric in (MeanAbsoluteError(), R2Score(), PearsonCorrCoef(), SpearmanCorrCoef()):
    metric.update(a[:25], a[:25] + b[:25])
    metric.update(a[25:], a[25:] + b[25:])
    show(type(metric).__name__, metric.compute())
show("mse", mean_squared_error(a, b))
show("r2", r2_score(a, a + 0.1 * b))
show("cosine", pairwise_cosine_similarity(scores[:3]))

images = torch.rand(2, 3, 24, 24, generator=generator)
show("psnr", PeakSignalNoiseRatio(data_range=1.0)(images, images * 0.9))
show("ssim", StructuralSimilarityIndexMeasure(data_range=1.0)(images, images * 0.9))
show("bleu", BLEUScore(n_gram=2)(["the cat sat"], [["the cat sat down"]]))
show("wer", WordErrorRate()(["hello world"], ["hello there world"]))
show("map", RetrievalMAP()(probabilities, labels, indexes=torch.arange(60) // 10))

mean = MeanMetric()
for value in (1.0, 2.0, 6.0):
    mean.update(value)
show("mean", mean.compute())
tracker = MetricTracker(MulticlassAccuracy(4))
for shift in range(3):
    tracker.increment()
    tracker.update(scores, (target + shift) % 4)
show("best", tracker.best_metric())


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.accuracy = MulticlassAccuracy(4)


net = Net()
net.accuracy.persistent(True)
net.accuracy(scores, target)
print(sorted(net.state_dict()), net)
show("sum of metrics", (MeanAbsoluteError() + MeanAbsoluteError())(a, b))


class Count(torchmetrics.Metric):
    def __init__(self):
        super().__init__()
        self.add_state("total", default=torch.tensor(0), dist_reduce_fx="sum")

    def update(self, values):
        self.total += values.numel()

    def compute(self):
        return self.total


count = Count()
count(a), count(b)
show("count", count.compute())
x = a.clone().requires_grad_()
mean_squared_error(x, b).backward()
show("gradient", x.grad[:3])
