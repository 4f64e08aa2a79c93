"""Summaries of an experiment's hyperparameters and of the metrics it reached."""

from __future__ import annotations

from typing import Any

from google.protobuf import struct_pb2
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

from ...tensor import Tensor
from .arrays import as_array
from .scalars import plugin


def hparams(
    hparam_dict: dict[str, Any] | None = None, metric_dict: dict[str, Any] | None = None,
    hparam_domain_discrete: dict[str, list[Any]] | None = None,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Three summaries: which hyperparameters and metrics the experiment has, the values of this run, and its end.

    Raises:
        TypeError: an argument is no dictionary, or the values possible for a hyperparameter are of another type.
        ValueError: a hyperparameter is neither a number, a string nor a tensor of one element.
    """
    for name, given in (("hparam_dict", hparam_dict), ("metric_dict", metric_dict)):
        if not isinstance(given, dict):
            raise TypeError(f"parameter: {name} should be a dictionary, nothing logged.")
    assert hparam_dict is not None and metric_dict is not None
    possible = hparam_domain_discrete or {}
    if not isinstance(possible, dict):
        raise TypeError("parameter: hparam_domain_discrete should be a dictionary, nothing logged.")
    for name, values in possible.items():
        kind = type(hparam_dict.get(name))
        if name not in hparam_dict or not isinstance(values, list) or not all(isinstance(each, kind) for each in values):
            raise TypeError(
                f"parameter: hparam_domain_discrete[{name}] should be a list of same type as hparam_dict[{name}]."
            )
    start = plugin_data_pb2.SessionStartInfo()
    about = []
    for name, value in hparam_dict.items():
        if value is None:
            continue
        kind, stored = _typed(value)
        for field, number in stored.items():
            setattr(start.hparams[name], field, number)
        domain = None
        if name in possible:
            domain = struct_pb2.ListValue(values=[struct_pb2.Value(**_typed(each)[1]) for each in possible[name]])
        about.append(api_pb2.HParamInfo(name=name, type=kind, domain_discrete=domain))
    metrics = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=name)) for name in metric_dict]
    experiment = api_pb2.Experiment(hparam_infos=about, metric_infos=metrics)
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.Status.Value("STATUS_SUCCESS"))

    def summary(tag: str, **content: Any) -> Any:
        data = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **content)
        about_it = plugin(metadata.PLUGIN_NAME, data.SerializeToString())
        return Summary(value=[Summary.Value(tag=tag, metadata=about_it)])

    return (
        summary(metadata.EXPERIMENT_TAG, experiment=experiment),
        summary(metadata.SESSION_START_INFO_TAG, session_start_info=start),
        summary(metadata.SESSION_END_INFO_TAG, session_end_info=end),
    )


def _typed(value: Any) -> tuple[Any, dict[str, Any]]:
    """TensorBoard's name of a value's type, and the field of its protocol that holds it."""
    if isinstance(value, Tensor):
        value = as_array(value).reshape(-1)[0].item()
    if isinstance(value, (int, float)):
        return api_pb2.DataType.Value("DATA_TYPE_FLOAT64"), {"number_value": value}
    if isinstance(value, str):
        return api_pb2.DataType.Value("DATA_TYPE_STRING"), {"string_value": value}
    raise ValueError(f"value should be one of int, float, str, bool, or a tensor of one element, but got {type(value)}")
