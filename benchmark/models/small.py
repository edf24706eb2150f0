"""Networks for machines without an accelerator."""

from math import prod

from torch import nn

# Channels and stride of each 3x3 convolution.
_CONVOLUTIONS = {
    "cnn-tiny": ((16, 1), (32, 2), (32, 1)),  # 8x8 digits: 0.23 M multiply-adds, 14 k parameters
    "cnn-small": ((16, 1), (32, 2), (64, 2), (128, 2)),  # 32x32 colour: 4.0 M multiply-adds, 99 k parameters
}
_HIDDEN = 64


def body(name: str, shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
    """`mlp`: one hidden layer. `cnn-*`: convolutions with batch norm and ReLU, then the mean over places."""
    if name == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), _HIDDEN), nn.ReLU(inplace=True)), _HIDDEN
    layers: list[nn.Module] = []
    width = shape[0]
    for channels, stride in _CONVOLUTIONS[name]:
        layers += [
            nn.Conv2d(width, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        ]
        width = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), width
