import glob
import tempfile

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

with tempfile.TemporaryDirectory() as folder:
    with SummaryWriter(folder) as writer:
        for step in range(3):
            writer.add_scalar("loss", torch.tensor(1.0 / (step + 1)), step)
        writer.add_histogram("weights", torch.arange(10.0), 0)
    events = EventAccumulator(folder)
    events.Reload()
    print([(each.step, round(each.value, 3)) for each in events.Scalars("loss")], len(glob.glob(f"{folder}/*")))
