"""Which layers of a network compute each place of their output from a few places of their input, and from which.

A network is read as the `torch.fx` graph that `models.folded` made of it.
"""

import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from benchmark.attacks.model import CountedModel, Model

_LEAST_SIDE = 16  # on digits, of 8 pixels a side, windows took half as long again as whole images

Layers = dict[fx.Node, Callable[..., Tensor]]
Span = tuple[int, int]

# Functions of single places, each as torch.fx finds it and as it is computed here, where nothing is written in place.
_POINTWISE: dict[Any, Callable[..., Tensor]] = {
    operator.add: torch.add,
    operator.iadd: torch.add,
    operator.sub: torch.sub,
    operator.truediv: torch.div,
    F.relu: torch.relu,
}


def readable(model: Model, x: Tensor) -> fx.Interpreter:
    """The model's own graph; one of a single node where there is none, or where windows are not worth it.

    They are on a CPU, for images [n, C, H, W] of which a small square does not soon reach everything.
    """
    while isinstance(model, CountedModel):
        model = model.model
    if isinstance(model, fx.GraphModule) and x.device.type == "cpu" and min(x.shape[2:]) >= _LEAST_SIDE:
        run = fx.Interpreter(model)
        if not any(_overwrites(run, node) for node in run.graph.nodes):
            return run
    root, graph = nn.Module(), fx.Graph()
    root.add_module("model", CountedModel(model))  # which makes a module of any callable
    graph.output(graph.call_module("model", (graph.placeholder("x"),)))
    return fx.Interpreter(root, graph=graph)


def local_layers(run: fx.Interpreter) -> Layers:
    """The nodes of a model in evaluation mode that have places, with what computes them.

    They are the input, functions of single places, and convolutions, as far as only such nodes lie before them.
    """
    local: Layers = {}
    for node in run.graph.nodes:
        args: tuple[Any, ...] = node.args
        if node.op == "placeholder":
            local[node] = torch.clone
        elif node.op == "call_module" and args[0] in local:
            layer = _layer(run.submodules[node.target])
            if layer is not None:
                local[node] = layer
        elif (
            node.target in _POINTWISE
            and any(arg in local for arg in args)
            and all(arg in local or _per_channel(run, arg) for arg in args)
        ):
            local[node] = _POINTWISE[node.target]
    return local


def reach(layer: nn.Conv2d, axis: int, size: int, changed: Span) -> tuple[Span, Span, Span]:
    """What a convolution makes anew of `size` places along one axis where those from changed[0] to changed[1] changed.

    At least one output is made anew, also where strides skip all that changed.

    Returns:
        first and last output, and first and last input that they read, each last one excluded; the zeros that
        belong before and behind those inputs.
    """
    span = layer.dilation[axis] * (layer.kernel_size[axis] - 1)
    stride, padding = layer.stride[axis], int(layer.padding[axis])
    outputs = (size + 2 * padding - span - 1) // stride + 1
    first = min(max(0, -((span - padding - changed[0]) // stride)), outputs - 1)
    last = max(min(outputs, (changed[1] - 1 + padding) // stride + 1), first + 1)
    low, high = first * stride - padding, (last - 1) * stride - padding + span + 1
    read = max(low, 0), min(high, size)
    return (first, last), read, (read[0] - low, high - read[1])


def _layer(layer: nn.Module) -> Callable[..., Tensor] | None:
    """What computes a layer that is local, without writing in place."""
    if isinstance(layer, nn.ReLU):
        return torch.relu
    convolution = type(layer) is nn.Conv2d and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    norm = type(layer) is nn.BatchNorm2d and not layer.training and layer.running_mean is not None
    return layer if convolution or norm or isinstance(layer, nn.Identity) else None


def _per_channel(run: fx.Interpreter, arg: Any) -> bool:
    """Whether an argument is the same for all places: a number, or a constant [channels, 1, 1]."""
    if not isinstance(arg, fx.Node):
        return True
    return arg.op == "get_attr" and run.fetch_attr(str(arg.target)).shape[-2:] == (1, 1)


def _overwrites(run: fx.Interpreter, node: fx.Node) -> bool:
    """Whether a node writes to what others read as well."""
    layer = run.submodules[str(node.target)] if node.op == "call_module" else None
    in_place = node.target is operator.iadd or node.kwargs.get("inplace") or getattr(layer, "inplace", False)
    return bool(in_place) and len(node.all_input_nodes[0].users) > 1
