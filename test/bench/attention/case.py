"""What is exported, and what a finder of attention has to say of it."""

from dataclasses import dataclass, field
from typing import Callable

#: Exporter and opset.
ALL = (('torchscript', 11), ('torchscript', 17), ('dynamo', 18), ('dynamo', 23))
BOTH = (('torchscript', 17), ('dynamo', 20))


@dataclass(frozen=True)
class Block:
    heads: int
    kind: str = 'self'
    causal: bool = False
    #: Heads of the keys, where groups of queries share them.
    key_heads: int | None = None


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable
    inputs: Callable
    blocks: tuple = ()
    exports: tuple = BOTH
    #: Which of the softmaxes that PyTorch took are attention; all of them where left out.
    picks: Callable = list
    #: Brings one of them into the order [batch, heads, queries, keys], heads merged into the batch being in order.
    canonical: Callable = lambda probabilities: probabilities
    #: What looks like attention and is none: `linear` or `squeeze-excite`, one for each.
    lookalikes: tuple = ()
    #: Axes of the first input whose size is left open, by name.
    dynamic: dict = field(default_factory=dict)
    #: What the weights are multiplied with.
    gain: float = 2.0
    #: Gives the probabilities where no softmax is taken.
    reference: Callable | None = None
