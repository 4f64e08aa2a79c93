"""``torch.profiler``: where the time goes, by kernel or by operator. See ``autograd/profiler.py`` for how it is measured."""

from ..autograd.profiler import record_function
from .activities import DeviceType, ProfilerAction, ProfilerActivity, kineto_available, supported_activities
from .profiling import ExecutionTraceObserver, profile, schedule, tensorboard_trace_handler

__all__ = [
    "DeviceType", "ExecutionTraceObserver", "ProfilerAction", "ProfilerActivity", "kineto_available", "profile",
    "record_function", "schedule", "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip
