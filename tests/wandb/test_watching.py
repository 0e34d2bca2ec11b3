"""`watch`: what of a model is logged, and that nothing of it is held."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from runstone import wandb
from runstone.wandb.watching import Watch, histogram


class Tensor:
    """What of a torch tensor `watch` asks for, over an array."""

    requires_grad = True
    is_sparse = False

    def __init__(self, content: Any) -> None:
        self.content = np.asarray(content, np.float32)
        self.hooks: list[Callable[[Any], None]] = []

    @property
    def data(self) -> "Tensor":
        """Return itself."""
        return self

    def detach(self) -> "Tensor":
        """Return itself."""
        return self

    def flatten(self) -> "Tensor":
        """Return it as one row."""
        return Tensor(self.content.ravel())

    def float(self) -> "Tensor":
        """Return itself."""
        return self

    def isfinite(self) -> Any:
        """Say of each number whether it is one."""
        return np.isfinite(self.content)

    def __getitem__(self, mask: Any) -> "Tensor":
        return Tensor(self.content[mask])

    def numel(self) -> int:
        """Return how many numbers there are."""
        return self.content.size

    def min(self) -> Any:
        """Return the lowest."""
        return self.content.min()

    def max(self) -> Any:
        """Return the highest."""
        return self.content.max()

    def histc(self, bins: int, low: Any, high: Any) -> Any:
        """Count."""
        return np.histogram(self.content, bins, (low, high))[0].astype(np.float32)

    def register_hook(self, hook: Callable[[Any], None]) -> "Hook":
        """Have a gradient looked at."""
        self.hooks.append(hook)

        return Hook(self.hooks, hook)


class Hook:
    """What takes a hook away again."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks = hooks
        self._hook = hook

    def remove(self) -> None:
        """Take it away."""
        self._hooks.remove(self._hook)


class Model:
    """What of a torch module `watch` asks for."""

    training = True

    def __init__(self) -> None:
        self.weight = Tensor(np.arange(10))
        self.hooks: list[Callable[..., None]] = []

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the weights."""
        yield "weight", self.weight

    def register_forward_hook(self, hook: Callable[..., None]) -> Hook:
        """Have a pass looked at."""
        self.hooks.append(hook)

        return Hook(self.hooks, hook)

    def step(self) -> None:
        """Go forward and back."""
        for hook in self.hooks:
            hook(self, None, None)
        for hook in self.weight.hooks:
            hook(Tensor(np.ones(10)))


def test_every_so_many_passes_are_logged() -> None:
    """Gradients and parameters, under W&B's names."""
    logged: list[str] = []
    watch = Watch(lambda name, _: logged.append(name))
    model = Model()
    watch.start(model, 0, log="all", every=3)

    for _ in range(7):
        model.step()

    assert logged == ["parameters/weight", "gradients/weight"] * 2


def test_nothing_stays_when_it_ends() -> None:
    """Neither a hook nor a tensor; the model trains on as before."""
    logged: list[str] = []
    watch = Watch(lambda name, _: logged.append(name))
    model = Model()
    watch.start(model, 1, log="gradients", every=1)
    model.step()

    watch.stop(model)
    model.step()

    assert logged == ["graph_1gradients/weight"]
    assert (model.hooks, model.weight.hooks) == ([], [])


@pytest.mark.parametrize(
    ("numbers", "total"), [([1, 2, 3], 3), ([5, 5], 2), ([np.nan, 1], 1), ([0.0], 1)]
)
def test_a_histogram_counts_what_is_finite(numbers: list[float], total: int) -> None:
    """Also where all numbers are the same."""
    found = histogram(Tensor(numbers))

    assert found is not None
    assert sum(found["counts"]) == total
    assert len(found["edges"]) == len(found["counts"]) + 1
    assert histogram(Tensor([np.nan])) is None


@pytest.mark.usefixtures("store")
def test_a_model_is_watched_once() -> None:
    """Twice would log all twice; and what is no model is named."""
    run = wandb.init(project="p")
    model = Model()
    run.watch(model)

    with pytest.raises(wandb.UsageError, match="already"):
        run.watch(model)
    with pytest.raises(wandb.UsageError, match="torch"):
        run.watch(5)
    run.unwatch(model)
    run.watch(model, log="all", log_freq=1)
    model.step()
    run.finish()

    assert model.hooks == []
