"""SGD with momentum and AdamW over parameters as they lie in memory."""

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from tl_core.catalog import Optimizer

MOMENTUM: Final = 0.9
_KINDS: Final[dict[Optimizer, tuple[type[torch.optim.Optimizer], dict[str, Any]]]] = {
    "sgd": (torch.optim.SGD, {"momentum": MOMENTUM}),
    "adamw": (torch.optim.AdamW, {}),
}


class Stepper:
    """An optimiser that does not copy what is stored in another order than it is indexed.

    PyTorch's fused optimisers take apart and put together every convolution weight in channels-last
    order, with its gradient and its momentum, at every step. Here they are given views in the order
    of the memory instead: the same numbers, bit for bit.

    `groups`: `{"params": [...], "factor": float}`, each with its own multiple of the learning rate.
    """

    def __init__(
        self, groups: Sequence[dict[str, Any]], kind: Optimizer, weight_decay: float, fused: bool
    ) -> None:
        self.groups = groups
        self._laid = [_Laid(parameter) for group in groups for parameter in group["params"]]
        views = iter(self._laid)
        make, more = _KINDS[kind]
        self._optimizer = make(
            [
                {"params": [next(views).view for _ in group["params"]], "factor": group["factor"]}
                for group in groups
            ],
            **{"lr": 0.0, "weight_decay": weight_decay, "fused": fused, **more},
        )

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next step, before each group's factor."""
        for group, seen in zip(self.groups, self._optimizer.param_groups, strict=True):
            group["lr"] = seen["lr"] = rate * group["factor"]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for laid in self._laid:
            laid.parameter.grad = laid.view.grad = None

    def step(self) -> None:
        """Move the parameters by their gradients."""
        for laid in self._laid:
            gradient = laid.parameter.grad
            laid.view.grad = None if gradient is None else gradient.permute(laid.order)
        self._optimizer.step()

    def state(self) -> dict[str, Any]:
        """Return what `load` needs; every tensor is indexed as its parameter is."""
        return self._permuted(self._optimizer.state_dict(), [laid.inverse for laid in self._laid])

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same groups."""
        orders = [laid.order for laid in self._laid]
        self._optimizer.load_state_dict(self._permuted(state, orders))

    @staticmethod
    def _permuted(state: dict[str, Any], orders: Sequence[tuple[int, ...]]) -> dict[str, Any]:
        return {
            **state,
            "state": {
                place: {
                    name: value.permute(orders[place]) if _is_shaped(value) else value
                    for name, value in of_one.items()
                }
                for place, of_one in state["state"].items()
            },
        }


class _Laid:
    """A parameter, and a view of it whose dimensions follow each other as in memory."""

    def __init__(self, parameter: nn.Parameter) -> None:
        self.parameter = parameter
        strides = parameter.stride()
        self.order = tuple(sorted(range(parameter.dim()), key=lambda place: -strides[place]))
        self.inverse = tuple(self.order.index(place) for place in range(parameter.dim()))
        self.view = parameter.detach().permute(self.order)


def _is_shaped(value: Any) -> bool:
    # AdamW also counts its steps, in a tensor without dimensions.
    return isinstance(value, Tensor) and value.dim() > 0
