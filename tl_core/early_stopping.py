"""Early stopping: the weights with the lowest validation loss, and when to wait no longer."""

import math
from typing import Any

from torch import Tensor, nn

State = dict[str, Tensor]


class EarlyStopping:
    """Looks at a training after every evaluation; `modules` are what is kept and brought back."""

    def __init__(self, patience: int, *modules: nn.Module) -> None:
        """Stop after `patience` evaluations in a row without a lower loss."""
        self.patience, self.modules = patience, modules
        self.lowest, self.waited = math.inf, 0
        self.step: int | None = None
        self.kept: list[State] = []

    @property
    def over(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self.waited >= self.patience

    def look(self, step: int, loss: float) -> None:
        """Keep the weights as they are now if their validation loss is the lowest so far."""
        if loss < self.lowest:
            self.lowest, self.step, self.waited = loss, step, 0
            self.kept = [_copied(module) for module in self.modules]
        else:
            self.waited += 1

    def bring_back(self) -> None:
        """Give the modules the weights that were kept; without any they stay as they are."""
        for module, state in zip(self.modules, self.kept, strict=False):
            module.load_state_dict(state)

    def state(self) -> dict[str, Any]:
        """Return everything needed to continue."""
        return {
            "lowest": self.lowest,
            "step": self.step,
            "waited": self.waited,
            "kept": self.kept,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        self.lowest, self.step = state["lowest"], state["step"]
        self.waited, self.kept = state["waited"], state["kept"]


def _copied(module: nn.Module) -> State:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
