"""At what scale a suite's experiments are run: which other networks, how many images, how far an attack goes."""

from dataclasses import dataclass

from benchmark.spec import Suite, Training
from methods.errors import UsageError

STANDARD, ROBUST = "standard", "robust"


@dataclass(frozen=True)
class Scale:
    """What the suite itself does not say.

    networks    whose AIGN is compared with the standard proxy's: each is trained by the same recipe
    dense       the network with a dense first layer on which Lemma 1 is measured
    images      of the pool, drawn once, that are attacked
    bound       the largest radius at which they are, in pixels, in `levels` steps
    steps       of PGD at each radius
    batches     drawn for each size of batch of Lemma 1
    """

    networks: tuple[str, ...] = ()
    dense: str = "mlp"
    images: int = 1000
    bound: float = 0.5
    levels: int = 250
    steps: int = 20
    batches: int = 50
    sizes: tuple[int, ...] = (1, 8, 32, 64, 128)


SCALES = {
    "digits": Scale(networks=("cnn-tiny",)),
    "cifar10-tiny": Scale(networks=("cnn-tiny", "mlp"), bound=16 / 255, steps=10),
    "cifar10": Scale(networks=("vgg16",), images=5000, bound=8 / 255),  # for an accelerator
    "cifar100": Scale(networks=("vgg16",), images=5000, bound=8 / 255),  # likewise
}


def scale_of(suite: Suite) -> Scale:
    """The suite's own, or one without a second network."""
    return SCALES.get(suite.name, Scale())


def proxies_of(suite: Suite, scale: Scale) -> dict[str, Training]:
    """Every proxy of the experiments by name: the suite's standard one, other networks, and a robust one.

    The robust one is the standard network trained as in the suite's TRADES regime, if it has one.

    Raises:
        UsageError: the suite declares no standard proxy, or it is not trained by the standard objective.
    """
    own = suite.proxies.get(STANDARD)
    if own is None or own.recipe.objective != "standard":
        raise UsageError(f"The experiments read a standard proxy; declare [proxies.standard] in suite '{suite.name}'.")
    found = {STANDARD: own}
    for network in dict.fromkeys((*scale.networks, scale.dense)):
        if network != own.model:
            found[network] = Training(model=network, recipe=own.recipe)
    robust = [regime.recipe for regime in suite.regimes.values() if regime.recipe.objective == "trades"]
    if robust:
        found[ROBUST] = Training(model=own.model, recipe=robust[0])
    return found
