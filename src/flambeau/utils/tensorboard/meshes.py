"""Summaries of shapes in space: points, with colours and the triangles between them."""

from __future__ import annotations

import json
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.mesh import metadata
from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData

from .arrays import as_array
from .scalars import shape_of


def mesh(
    tag: str, vertices: Any, colors: Any, faces: Any, config_dict: Any, display_name: str | None = None,
    description: str | None = None,
) -> Any:  # fmt: skip
    """Points (batch, number, 3), with colours of the same shape, and faces: triples of points' numbers."""
    config = json.dumps(config_dict or {}, sort_keys=True)
    kinds = ((vertices, MeshPluginData.VERTEX), (faces, MeshPluginData.FACE), (colors, MeshPluginData.COLOR))
    parts = [(as_array(each), kind) for each, kind in kinds if each is not None]
    components = metadata.get_components_bitmask([kind for _, kind in parts])
    values = []
    for array, kind in parts:
        made = TensorProto(dtype="DT_FLOAT", float_val=array.reshape(-1).tolist(), tensor_shape=shape_of(array.shape))
        about = metadata.create_summary_metadata(
            tag, display_name, kind, components, array.shape, description, json_config=config
        )
        values.append(Summary.Value(tag=metadata.get_instance_name(tag, kind), tensor=made, metadata=about))
    return Summary(value=values)
