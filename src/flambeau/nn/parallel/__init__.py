"""Running a module on several devices of this process."""

from .data_parallel import DataParallel as DataParallel, data_parallel as data_parallel

__all__ = ["DataParallel", "data_parallel"]
