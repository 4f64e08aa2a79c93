"""Gradient scaling, so that small gradients survive float16."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..autograd.grad_mode import no_grad
from ..core.dtypes import float16
from ..tensor import Tensor

if TYPE_CHECKING:
    from ..optim.optimizer import Optimizer


class OptState(Enum):
    """Where an optimizer is between two updates of the scale."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class GradScaler:
    """Multiplies the loss by a large number and divides the gradients by it before the optimizer's step.

    A step whose gradients overflowed is skipped, and the scale reduced; after ``growth_interval`` steps without
    overflow it grows. The scale is a Python number, an input of the recorded program, so its changes cost nothing.

    Args:
        device: ``"cpu"``; for ``"cuda"``, there being no such device, the scaler is disabled with a warning.
        init_scale: the first scale.
        growth_factor: above 1.
        backoff_factor: below 1.
        growth_interval: see above.
        enabled: if not, losses and steps pass through unchanged.

    Example::

        >>> import flambeau as torch
        >>> weight = torch.nn.Parameter(torch.tensor(1.0)); optimizer = torch.optim.SGD([weight], lr=0.5)
        >>> scaler = torch.amp.GradScaler("cpu"); scaler.scale(weight * 1.0).backward()
        >>> scaler.step(optimizer); scaler.update(); weight.item(), scaler.get_scale()
        (0.5, 65536.0)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda":
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2
            )
            self._enabled = False
        if self._enabled:
            if not growth_factor > 1.0:
                raise AssertionError("The growth factor must be > 1.0.")
            if not backoff_factor < 1.0:
                raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale = init_scale
        self._scale: float | None = None  # set by the first loss
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._stages: dict[int, OptState] = {}
        self._overflows: dict[int, Tensor] = {}

    def scale(self, outputs: Tensor | Iterable[Tensor]) -> Any:
        """``outputs``, a tensor or (nested) lists and tuples of tensors, times the scale."""
        if not self._enabled:
            return outputs
        if self._scale is None:
            self._scale = self._init_scale
        return self._scaled(outputs, self._scale)

    def _scaled(self, outputs: Any, scale: float) -> Any:
        if isinstance(outputs, Tensor):
            return outputs * scale
        if isinstance(outputs, Iterable) and not isinstance(outputs, (str, bytes)):
            entries = [self._scaled(entry, scale) for entry in outputs]
            return type(outputs)(entries) if isinstance(outputs, (list, tuple)) else iter(entries)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients of the optimizer's parameters by the scale, to clip them for instance.

        Raises:
            RuntimeError: twice between two updates, or after :meth:`step`.
            ValueError: gradients are float16; only losses and activations should be.
        """
        if not self._enabled:
            return
        self._require_scale("unscale_")
        stage = self._stages.get(id(optimizer), OptState.READY)
        if stage is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if stage is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        self._unscale(optimizer)
        self._stages[id(optimizer)] = OptState.UNSCALED

    @no_grad()
    def _unscale(self, optimizer: Optimizer) -> None:
        """Unscale in place and note whether everything was finite, as a tensor: nothing is waited for here."""
        assert self._scale is not None
        inverse = 1.0 / self._scale
        finite = None
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                if gradient.dtype == float16:
                    raise ValueError("Attempting to unscale FP16 gradients.")
                good = gradient.isfinite().all()
                finite = good if finite is None else finite & good
                gradient.mul_(inverse)
        if finite is not None:
            self._overflows[id(optimizer)] = ~finite

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """Unscale if that was not done yet, and let the optimizer step unless a gradient overflowed.

        Returns what the optimizer's step returns, or None when it was skipped.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._require_scale("step")
        stage = self._stages.get(id(optimizer), OptState.READY)
        if stage is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if stage is OptState.READY:
            self.unscale_(optimizer)
        if id(optimizer) not in self._overflows:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None
        if not self._overflows[id(optimizer)].item():
            result = optimizer.step(*args, **kwargs)
        self._stages[id(optimizer)] = OptState.STEPPED
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapt the scale after the optimizers' steps, or set it."""
        if not self._enabled:
            return
        self._require_scale("update")
        assert self._scale is not None
        if new_scale is not None:
            if isinstance(new_scale, Tensor) and (new_scale.numel() != 1 or new_scale.requires_grad):
                raise AssertionError(
                    "new_scale should be a float or a 1-element torch.cuda.FloatTensor or torch.FloatTensor with "
                    "requires_grad=False."
                )
            self._scale = float(new_scale)
        else:
            if not self._overflows:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(overflow.item() for overflow in self._overflows.values()):
                self._scale *= self._backoff_factor
                self._growth_tracker = 0
            else:
                self._growth_tracker += 1
                if self._growth_tracker == self._growth_interval:
                    grown = self._scale * self._growth_factor
                    if grown <= 3.4028234663852886e38:  # the scale has to stay a float32
                        self._scale = grown
                    self._growth_tracker = 0
        self._stages.clear()
        self._overflows.clear()

    def _require_scale(self, name: str) -> None:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {name} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )

    def get_scale(self) -> float:
        """The present scale, 1 when disabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale

    def get_growth_factor(self) -> float:
        """The factor by which the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set the factor by which the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """The factor by which the scale shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set the factor by which the scale shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many steps without overflow it takes to grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set how many steps without overflow it takes to grow."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        return self._growth_tracker if self._enabled else 0

    def is_enabled(self) -> bool:
        """Whether anything is scaled."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The scale and what governs it; empty when disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave, here or in PyTorch."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]

    def __getstate__(self) -> dict[str, Any]:
        if self._enabled and self._stages:
            raise AssertionError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                "scaler.update()."
            )
        return {**self.__dict__, "_init_scale": self.get_scale() if self._enabled else self._init_scale, "_scale": None}
