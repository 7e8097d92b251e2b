"""What the optimizer makes and throws away while it updates an array of weights."""

from __future__ import annotations

from ml.estimates.lifetimes import Operation, Size
from ml.estimates.plan import Plan


def update(gradient: str, size: Size, plan: Plan) -> list[Operation]:
    """The optimizer's operations on one array of weights, with the arrays that come and go.

    Adam takes one for the squared gradient, then one for the root and one for the step (Keras's `Adam.update_step`);
    momentum one for the new momentum and one for the new weights.
    """
    if plan.optimizer == "sgd":
        return [Operation(f"{gradient}/step", (gradient,))]
    if plan.optimizer == "momentum":
        moment = f"{gradient}/moment"
        return [
            Operation(moment, (gradient,), ((moment, size),)),
            Operation(f"{gradient}/step", (gradient, moment), scratch=size),
        ]
    square, root, step = f"{gradient}/square", f"{gradient}/root", f"{gradient}/step"
    return [
        Operation(square, (gradient,), ((square, size),)),
        Operation(f"{gradient}/moments", (gradient, square)),
        Operation(root, (), ((root, size),)),
        Operation(step, (root,), ((step, size),)),
        Operation(f"{gradient}/assign", (step,)),
    ]
