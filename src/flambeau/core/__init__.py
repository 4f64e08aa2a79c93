"""Plain facts about tensors: dtypes, devices, sizes, strides, storages, generators. Knows no operators."""
