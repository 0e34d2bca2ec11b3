"""
Histograms of a torch model's gradients and parameters.

Counting happens where the numbers are; what is kept of a tensor is its histogram, so
nothing holds a device's memory.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from runstone.wandb.errors import UsageError


BINS: Final = 64
LOGS: Final = ("gradients", "parameters", "all", None)

Log = Callable[[str, Mapping[str, object]], None]


class Watch:
    """
    The models that are watched.

    Args:
        log: Takes the name and the body of each histogram.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._hooks: dict[int, list[Any]] = {}

    def start(self, model: Any, number: int, *, log: str | None, every: int) -> None:
        """
        Watch a model.

        Args:
            model: A `torch.nn.Module`.

            number: Of the model; from 1 on it stands in the names.

            log: What of it; see `LOGS`.

            every: How many passes lie between two.
        """
        if log not in LOGS or not hasattr(model, "named_parameters"):
            raise UsageError(
                f"watch takes a torch model and one of {LOGS}, not "
                f"{type(model).__name__} and {log!r}"
            )
        if id(model) in self._hooks:
            raise UsageError("The model is watched already; unwatch it first")
        prefix = f"graph_{number}" if number else ""
        hooks = self._hooks[id(model)] = []
        if log in ("parameters", "all"):
            hooks.append(self._parameters(model, prefix, every))
        if log in ("gradients", "all"):
            hooks += self._gradients(model, prefix, every)

    def stop(self, models: Any = None) -> None:
        """Let go of models, or of all."""
        given = models if isinstance(models, list | tuple) else [models]
        numbers = list(self._hooks) if models is None else [id(one) for one in given]
        for number in numbers:
            for hook in self._hooks.pop(number, []):
                hook.remove()

    def _parameters(self, model: Any, prefix: str, every: int) -> Any:
        passes = 0

        def hook(module: Any, *_: Any) -> None:
            nonlocal passes
            passes += 1
            if module.training is not False and passes % every == 0:
                for name, tensor in module.named_parameters():
                    self._tell(f"{prefix}parameters/{name}", tensor.data)

        return model.register_forward_hook(hook)

    def _gradients(self, model: Any, prefix: str, every: int) -> list[Any]:
        return [
            tensor.register_hook(self._on_gradient(f"{prefix}gradients/{name}", every))
            for name, tensor in model.named_parameters()
            if tensor.requires_grad
        ]

    def _on_gradient(self, name: str, every: int) -> Callable[[Any], None]:
        passes = 0

        def hook(gradient: Any) -> None:
            nonlocal passes
            passes += 1
            if passes % every == 0:
                self._tell(name, gradient.data)

        return hook

    def _tell(self, name: str, tensor: Any) -> None:
        item = histogram(tensor)
        if item is not None:
            self._log(name, {"type": "histogram", "items": [item]})


def histogram(tensor: Any) -> dict[str, list[float]] | None:
    """Return counts and edges of a tensor's finite numbers; None where it has none."""
    flat = tensor.detach()
    flat = (flat.coalesce().values() if flat.is_sparse else flat).flatten().float()
    flat = flat[flat.isfinite()]
    if not flat.numel():
        return None
    low, high = flat.min().item(), flat.max().item()
    if low == high:  # all in the middle of one bin's width
        reach = abs(low) * 0.01 or 1.0  # wide enough for bins of 16 bits
        low, high = low - reach, high + reach
    counts = flat.histc(BINS, low, high).tolist()
    width = (high - low) / BINS
    edges = [low + width * number for number in range(BINS)] + [high]

    return {"counts": [math.floor(c) for c in counts], "edges": edges}
