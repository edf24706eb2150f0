"""At what scale a suite's experiments are run: which proxies, how many images and replicates, how far attacks go."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmark.spec import Suite, Training
from methods.errors import UsageError

STANDARD, ANOTHER, ROBUST = "standard", "another", "robust"


@dataclass(frozen=True)
class Scale:
    """What the suite itself does not say.

    replicates  where the caller names no number
    networks    whose AIGN is compared with the standard proxy's: each is trained by the same recipe
    rates       but for the learning rate of these, chosen by the share of the pool that they come to get right
    dense       the network with a dense first layer on which Lemma 1 is measured
    inner       steps and their length in the robust proxy's training, where not those of the suite's TRADES regime
    images      of the pool, drawn once, that are attacked
    bound       the largest radius at which they are, in pixels, in `levels` steps
    steps       of PGD at each radius
    batches     drawn for each size of batch of Lemma 1
    """

    replicates: int = 5
    networks: tuple[str, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    dense: str = "mlp"
    inner: tuple[int, float] | None = None
    images: int = 1000
    bound: float = 0.5
    levels: int = 250
    steps: int = 20
    batches: int = 50
    sizes: tuple[int, ...] = (1, 8, 32, 64, 128)


SCALES = {
    "digits": Scale(replicates=8, networks=("cnn-tiny",)),
    # Half an hour of one core. TRADES' usual ten inner steps alone would take as long again.
    # At the suite's learning rate of 0.1 the MLP gets 21 % of the pool right; at 0.03, 0.01 and 0.003 it was 45, 47 and
    # 44 % of 1,000 images (one seed).
    "cifar10-tiny": Scale(
        replicates=3,
        networks=("cnn-tiny", "mlp"),
        rates={"mlp": 0.01},
        inner=(3, 4 / 255),
        bound=16 / 255,
        steps=10,
    ),
    # Prepared for an accelerator, and not run: the paper's own two networks.
    "cifar10": Scale(replicates=3, networks=("vgg16",), images=5000, bound=8 / 255),
    "cifar100": Scale(replicates=3, networks=("vgg16",), images=5000, bound=8 / 255),
}


def scale_of(suite: Suite) -> Scale:
    """The suite's own, or one without a second network."""
    return SCALES.get(suite.name, Scale())


def proxies_of(suite: Suite, scale: Scale) -> dict[str, Training]:
    """Every proxy of the experiments by name: the suite's standard one, another one like it, and others.

    The other networks are trained by the same recipe, but for their rates; the robust proxy is the standard network
    trained as in the suite's TRADES regime, if it has one.

    Raises:
        UsageError: the suite declares no standard proxy, or it is not trained by the standard objective.
    """
    own = suite.proxies.get(STANDARD)
    if own is None or own.recipe.objective != "standard":
        raise UsageError(f"The experiments read a standard proxy; declare [proxies.standard] in suite '{suite.name}'.")
    found = {STANDARD: own, ANOTHER: own}
    for network in dict.fromkeys((*scale.networks, scale.dense)):
        if network != own.model:
            rate = scale.rates.get(network, own.recipe.lr)
            found[network] = Training(model=network, recipe=own.recipe.model_copy(update={"lr": rate}))
    robust = [regime.recipe for regime in suite.regimes.values() if regime.recipe.objective == "trades"]
    if robust:
        steps, size = scale.inner or (robust[0].inner_steps, robust[0].inner_step_size)
        recipe = robust[0].model_copy(update={"inner_steps": steps, "inner_step_size": size})
        found[ROBUST] = Training(model=own.model, recipe=recipe)
    return found
