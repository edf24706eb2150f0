"""Wide residual networks for small images, after Zagoruyko and Komodakis 2016 (arXiv:1605.07146).

Written for this benchmark from the paper: pre-activation blocks of two 3x3 convolutions, no dropout. They are not
torchvision's `wide_resnet50_2`, which is a bottleneck ResNet for ImageNet.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """Batch norm, ReLU and convolution, twice, added to the input.

    Where the shape changes, a 1x1 convolution of the activated input takes the input's place.
    """

    def __init__(self, width: int, channels: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(width)
        self.conv1 = nn.Conv2d(width, channels, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        same = stride == 1 and width == channels
        self.shortcut = None if same else nn.Conv2d(width, channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        activated = F.relu(self.norm1(x))
        residual = self.conv2(F.relu(self.norm2(self.conv1(activated))))
        return residual + (x if self.shortcut is None else self.shortcut(activated))


def body(name: str, shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
    """`wrn-DEPTH-WIDTH`: three groups of (DEPTH - 4) / 6 blocks with 16, 32 and 64 times WIDTH channels."""
    depth, factor = map(int, name.split("-")[1:])
    layers: list[nn.Module] = [nn.Conv2d(shape[0], 16, 3, padding=1, bias=False)]
    width = 16
    for channels, stride in ((16 * factor, 1), (32 * factor, 2), (64 * factor, 2)):
        for place in range((depth - 4) // 6):
            layers.append(Block(width, channels, stride if place == 0 else 1))
            width = channels
    layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(*layers)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network, width
