"""torchvision's ResNets and VGG, with stems for small images where the side is at most 64 pixels."""

from torch import nn

from benchmark.vision import torchvision

_SMALL = 64


def body(name: str, shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
    """`resnet18` and `resnet50` (He et al. 2016, arXiv:1512.03385), `vgg16` with batch norm (arXiv:1409.1556)."""
    small = max(shape[1:]) <= _SMALL
    return _vgg16(shape[0], small) if name == "vgg16" else _resnet(name, shape[0], small)


def _resnet(name: str, channels: int, small: bool) -> tuple[nn.Module, int]:
    """Small images: the first convolution is 3x3 with stride 1, and no pooling follows it."""
    network = getattr(torchvision.models, name)()
    if small:
        network.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        network.maxpool = nn.Identity()
    elif channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    _initialise(network.conv1)
    width = network.fc.in_features
    network.fc = nn.Identity()
    return network, width


def _vgg16(channels: int, small: bool) -> tuple[nn.Module, int]:
    """Small images: the mean over places takes the place of the two wide linear layers.

    Those layers come without torchvision's dropout, since whatever is random in training belongs to a sample.
    """
    vgg = torchvision.models.vgg
    layers = vgg.make_layers(vgg.cfgs["D"], batch_norm=True)
    if channels != 3:
        layers[0] = nn.Conv2d(channels, 64, 3, padding=1)
    if not small:
        network = vgg.VGG(layers, dropout=0.0)
        width = network.classifier[-1].in_features
        network.classifier[-1] = nn.Identity()
        return network, width
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            _initialise(layer)
    return nn.Sequential(layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), 512


def _initialise(layer: nn.Conv2d) -> None:
    """As torchvision does (He et al. 2015, arXiv:1502.01852)."""
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
