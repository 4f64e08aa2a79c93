"""The old place of ``hub.load_state_dict_from_url``, which old programs call ``load_url``."""

from ..hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
