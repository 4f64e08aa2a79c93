"""PyTorch's path to what is in ``nn/dropout.py``; imports and pickles name it."""

from ..dropout import (
    AlphaDropout as AlphaDropout,
    Dropout as Dropout,
    Dropout1d as Dropout1d,
    Dropout2d as Dropout2d,
    Dropout3d as Dropout3d,
    FeatureAlphaDropout as FeatureAlphaDropout,
    _DropoutNd as _DropoutNd,
)
