"""Logits of images that differ from others in one square, at the cost of what the square reaches.

A convolution reads a few pixels around each place, so a small square of the images changes a small square of its
output, and the rest is kept. Where a network stops being local, at its mean over places, whole tensors take over. Every
place is computed from the same numbers as in a pass over whole images: logits are the same up to float32 rounding, and
bit for bit wherever it was tried.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import torch.nn.functional as F
from torch import Tensor, fx, nn

from benchmark.attacks.locality import local_layers, reach, readable
from benchmark.attacks.model import CountedModel, Model


class Box(NamedTuple):
    """Rows top to bottom and columns left to right of an image, the last of each excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, images: Tensor) -> Tensor:
        """The view of these places in images [n, C, H, W]."""
        return images[:, :, self.top : self.bottom, self.left : self.right]

    def common(self, other: "Box") -> "Box":
        """The places in both, none or more."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        return Box(top, max(top, min(self.bottom, other.bottom)), left, max(left, min(self.right, other.right)))

    def around(self, other: "Box") -> "Box":
        """The smallest box that holds both."""
        rows = min(self.top, other.top), max(self.bottom, other.bottom)
        return Box(*rows, min(self.left, other.left), max(self.right, other.right))

    def within(self, other: "Box") -> "Box":
        """The same places, counted from the corner of the other."""
        return Box(self.top - other.top, self.bottom - other.top, self.left - other.left, self.right - other.left)


class WindowedModel:
    """A model in evaluation mode that remembers images, and what its layers made of them.

    Windows are made use of on a CPU, where the model is a `torch.fx.GraphModule` as `models.folded` makes them and
    images are not tiny. Any other model is passed whole images. No more is kept than what a backward pass keeps.

    Args:
        model: a callable from images to logits [n, classes].
        x: float32 [n, C, H, W], the images to begin with; they are copied.

    Attributes:
        logits: float32 [n, classes] of x.
    """

    def __init__(self, model: Model, x: Tensor) -> None:
        self._model = model
        self._run = readable(model, x)
        self._local = local_layers(self._run)
        self._sizes: dict[fx.Node, tuple[int, int]] = {}
        self._kept: dict[fx.Node, Tensor] = {}
        self._new: dict[fx.Node, tuple[Box, Tensor]] = {}
        values: dict[fx.Node, Any] = {}
        for node in self._run.graph.nodes:
            if node.op == "placeholder":
                self._input, values[node] = node, x
            else:
                values[node] = self._whole(node, values.__getitem__)
            if node in self._local:
                self._sizes[node] = values[node].shape[2:]
                if node is self._input or any(self._reads_kept(user) for user in node.users):
                    self._kept[node] = values[node].clone()
        self.logits: Tensor = values[node]
        self._count(len(x))

    @property
    def images(self) -> Tensor:
        """The images remembered, [n, C, H, W]; not to be written to."""
        return self._kept[self._input]

    def query(self, box: Box, values: Tensor) -> Tensor:
        """Logits [n, classes] of the images with values [n, C, height, width] in the box; not yet remembered."""
        self._new = {self._input: (box, values)}
        whole: dict[fx.Node, Any] = {}

        def value(node: fx.Node) -> Any:
            if node not in self._new:
                return whole[node]
            changed, values = self._new[node]
            images = self._kept[node].clone()
            changed.of(images).copy_(values)
            return images

        for node in self._run.graph.nodes:
            layer = self._local.get(node)
            if isinstance(layer, nn.Conv2d):
                self._new[node] = self._convolved(node.args[0], layer)
            elif layer is None:
                whole[node] = self._whole(node, value)
            elif node is not self._input:
                box = reduce(Box.around, (self._new[arg][0] for arg in node.args if arg in self._new))
                args = [self._at(arg, box) if arg in self._new else whole.get(arg, arg) for arg in node.args]
                self._new[node] = box, layer(*args)
        self._count(len(values))
        logits: Tensor = whole[node]
        return logits

    def accept(self, rows: Tensor) -> None:
        """Remembers what the last query changed in the images of bool [n]."""
        some = rows.nonzero().squeeze(1)
        if len(some):
            for node, kept in self._kept.items():
                box, values = self._new[node]
                box.of(kept).index_copy_(0, some, values[some])

    def keep(self, rows: Tensor) -> None:
        """Forgets all images but those of bool [n]."""
        self._kept = {node: kept[rows] for node, kept in self._kept.items()}

    def _reads_kept(self, node: fx.Node) -> bool:
        """Whether a node reads more than what a query changes in one input."""
        layer = self._local.get(node)
        return layer is None or isinstance(layer, nn.Conv2d) or sum(arg in self._local for arg in node.args) > 1

    def _whole(self, node: fx.Node, value: Callable[[fx.Node], Any]) -> Any:
        """The value of a node, given whole values of those that it reads."""
        args, kwargs = fx.map_arg((node.args, node.kwargs), value)
        if node in self._local:
            return self._local[node](*args)
        return getattr(self._run, node.op)(node.target, args, kwargs)

    def _at(self, node: fx.Node, box: Box) -> Tensor:
        """The node's values in a box, with what the query changes."""
        changed, values = self._new[node]
        if changed == box:
            return values
        part, common = box.of(self._kept[node]).clone(), box.common(changed)
        common.within(box).of(part).copy_(common.within(changed).of(values))
        return part

    def _convolved(self, source: fx.Node, layer: nn.Conv2d) -> tuple[Box, Tensor]:
        """Where a convolution's output changes, and its new values there."""
        (top, bottom, left, right), (height, width) = self._new[source][0], self._sizes[source]
        new_rows, rows, above = reach(layer, 0, height, (top, bottom))
        new_columns, columns, beside = reach(layer, 1, width, (left, right))
        x = self._at(source, Box(*rows, *columns))
        if any(above + beside):
            x = F.pad(x, beside + above)
        values = F.conv2d(x, layer.weight, layer.bias, layer.stride, 0, layer.dilation, layer.groups)
        return Box(*new_rows, *new_columns), values

    def _count(self, images: int) -> None:
        if isinstance(self._model, CountedModel):
            self._model.count(images)
