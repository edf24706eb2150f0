"""Signals of a snapshot that take passes of their own through the network: gradients other than `input_grad`.

Every gradient is of one sample's own value: batches are summed and the network is in evaluation mode, so that neither
the size of a batch nor its other members leave a trace.
"""

from typing import TYPE_CHECKING, Any

from methods.signals import signal

if TYPE_CHECKING:  # torch is imported by whoever trains; listing the signals stays light
    from torch import Generator, Tensor

    from methods.signals.recorder import Memory

FLOATS_AT_ONCE = 2**27  # of parameter gradients held at the same time: 512 MB
STEP, DIRECTIONS = 1e-3, 10


@signal("grad_norm", view="snapshot", shape="[N]", at=0.1, passes=(1, 1))
def grad_norm(model: Any, x: "Tensor", y: "Tensor") -> "Tensor":
    """L2 norm over all parameters of the gradient of one sample's cross-entropy (Paul et al. 2021, definition 2.1).

    Exact, after a tenth of the schedule. As many samples at once as their gradients have room for; one by one where
    the network does what cannot be vectorised over samples.
    """
    import torch
    from torch.func import functional_call, grad, vmap
    from torch.nn.functional import cross_entropy

    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters: "dict[str, Tensor]", image: "Tensor", label: "Tensor") -> "Tensor":
        logits = functional_call(model, parameters, (image[None],))
        return cross_entropy(logits.float(), label[None], reduction="sum")

    def norm(image: "Tensor", label: "Tensor") -> "Tensor":
        gradients = grad(loss)(parameters, image, label)
        return torch.stack([gradient.float().norm() for gradient in gradients.values()]).norm()

    size = sum(p.numel() for p in parameters.values())
    try:
        return vmap(norm, chunk_size=max(1, FLOATS_AT_ONCE // size))(x, y)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # control flow that depends on the data, an operation without a batching rule
        return torch.stack([norm(image, label) for image, label in zip(x, y, strict=True)])


@signal("label_logit_variation", view="snapshot", shape="[T, N, 2]", passes=(1, 1))
def label_logit_variation(model: Any, x: "Tensor", y: "Tensor", memory: "Memory") -> "Tensor":
    """How the input gradient of the label's logit varied over the epochs so far (Agarwal et al. 2022).

    Of each pixel of each channel, the variance and the standard deviation over snapshots; the mean of either over
    pixels. Welford's running moments: two images a sample are kept while the proxy is trained.
    """
    import torch

    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(model(x).gather(1, y[:, None]).sum(), x)
    mean, squares = memory.recall("mean"), memory.recall("squares")
    if mean is None or squares is None:
        mean, squares = torch.zeros_like(gradient), torch.zeros_like(gradient)
    snapshots = memory.epoch + 1
    before = gradient - mean
    mean = mean + before / snapshots
    squares = squares + before * (gradient - mean)
    memory.keep("mean", mean)
    memory.keep("squares", squares)
    variance = (squares / snapshots).flatten(1)
    return torch.stack([variance.mean(dim=1), variance.sqrt().mean(dim=1)], dim=1)


@signal("input_curvature", view="snapshot", shape="[N]", passes=(DIRECTIONS, DIRECTIONS))
def input_curvature(model: Any, x: "Tensor", y: "Tensor", input_grad: "Tensor", rng: "Generator") -> "Tensor":
    """Mean over random sign images v of || grad loss(x + h v) - grad loss(x) ||, gradients in x (Garg and Roy 2023).

    h = 0.001 in pixels in [0, 1] and ten directions, the same ten for every sample of a proxy.
    """
    import torch
    from torch.nn.functional import cross_entropy

    total = torch.zeros(len(x), device=x.device)
    for _ in range(DIRECTIONS):
        signs = 2 * torch.randint(0, 2, x.shape[1:], generator=rng, device=x.device) - 1
        with torch.enable_grad():
            moved = (x.detach() + STEP * signs).requires_grad_()
            (gradient,) = torch.autograd.grad(cross_entropy(model(moved).float(), y, reduction="sum"), moved)
        total += (gradient - input_grad).flatten(1).norm(dim=1)
    return total / DIRECTIONS
