"""What the ledger lists: where a fault stands, what it is, and what repeats it here.

Projects are read at one commit or release, which may not be the last. Basis of an entry:

    run    the project's own function was run once beside ours, on the same inputs, and gave the same picks or numbers
    read   read in the project's code and written anew from that; the code itself was not run
"""

from dataclasses import dataclass
from typing import Literal

from benchmark.spec import Row


@dataclass(frozen=True)
class Project:
    """A public implementation, and the state of it that was read."""

    name: str
    url: str
    state: str


@dataclass(frozen=True)
class Pair:
    """A row that repeats the fault, and the row that it is compared with."""

    faulty: Row
    right: Row


@dataclass(frozen=True)
class Entry:
    """One fault.

    title  what happens, in a few words
    place  file and function in the project
    fault  what the code does and what the definition says
    basis  how it is known
    pairs  what is trained on digits; empty where there is nothing to train
    shown  what a constructed set shows, with the names of its values in braces; empty where there is none
    note   what a reader of the numbers should know
    doubt  what is uncertain about it; empty where nothing is known to be
    method what repeats it where nothing is trained; empty where nothing does
    """

    name: str
    project: Project
    title: str
    place: str
    fault: str
    basis: Literal["run", "read"]
    pairs: tuple[Pair, ...] = ()
    shown: str = ""
    note: str = ""
    doubt: str = ""
    method: str = ""

    @property
    def methods(self) -> tuple[str, ...]:
        """What repeats the fault here."""
        trained = dict.fromkeys(pair.faulty.method for pair in self.pairs)
        return tuple(trained) or ((self.method,) if self.method else ())


def pair(faulty: object, right: object) -> Pair:
    """Rows as a suite file writes them."""
    return Pair(Row.model_validate(faulty), Row.model_validate(right))


DEEPCORE = Project(
    "DeepCore", "https://github.com/PatrickZH/DeepCore", "commit 74ec709 of 2023-02-27 (arXiv:2204.08499)"
)
CCS = Project(
    "CCS",
    "https://github.com/haizhongzheng/Coverage-centric-coreset-selection",
    "commit b37f166 of 2023-09-20 (arXiv:2210.15809)",
)
D2 = Project(
    "D2 Pruning", "https://github.com/adymaharana/d2pruning", "commit bf1ea46 of 2023-10-13 (arXiv:2310.07931)"
)
DUAL = Project("DUAL", "https://github.com/behaapyy/dual-pruning", "commit 4ab525d of 2026-01-02 (arXiv:2502.06905)")
ACS = Project("ACS", "https://github.com/hmdolatabadi/ACS", "commit c3fb1fa of 2023-08-10 (arXiv:2209.05785)")
DATACULL = Project("DataCull", "https://pypi.org/project/datacull", "release 1.0.2")

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "herding",
        DEEPCORE,
        "Herding picks the farthest sample",
        "deepcore/methods/herding.py, Herding.herding",
        "Each step takes the sample that leaves the mean of the picks farthest from the class mean (argmax). Herding "
        "takes the one that leaves it nearest (argmin).",
        "run",
        (pair("herding-deepcore", "herding"),),
        "{n:,} normal points in {d} dimensions, {k} picked: the mean of the picks ends {argmax:.3f} from the mean of "
        "all with the argmax, {random:.3f} for a random set, {argmin:.3f} with the argmin.",
    ),
    Entry(
        "ragged-batch",
        DEEPCORE,
        "Gradients depend on the size of the last batch",
        "deepcore/methods/grand.py, GraNd.finish_run; likewise craig.py, gradmatch.py and glister.py",
        "Per-sample gradients are those of a batch's mean loss, so each is 1/B of the sample's own. The last batch of "
        "the file is smaller, and its rows score higher by as much.",
        "run",
        (pair("grand-deepcore", "grand-last"),),
        "{n:,} samples whose gradients all have one distribution, batches of {batch}: of {k} picks {faulty} are among "
        "the last {last} rows, {right} without the fault.",
        note="On digits the last batch of 256 decides. Where batches are cut within classes that fit into one, the "
        "effect vanishes.",
    ),
    Entry(
        "glister",
        DEEPCORE,
        "GLISTER's gradient is never updated",
        "deepcore/methods/glister.py, Glister.finish_run",
        "The update of the validation gradient is passed under a misspelt keyword (upadate_state), which is accepted "
        "and never called: the greedy method becomes a plain top-k.",
        "run",
        (pair("glister-deepcore", "glister"),),
        doubt="How much the update changes depends on the step size eta: 0.05 here, relative to the scale of features.",
    ),
    Entry(
        "cal",
        DEEPCORE,
        "CAL keeps samples that agree with their neighbours",
        "deepcore/methods/cal.py, Cal.calc_kl and Cal.finish_run",
        "The lowest divergences are kept, where the paper keeps the highest; and the divergence is symmetrised.",
        "run",
        (pair("cal-deepcore", "cal"), pair("cal-deepcore@high", "cal")),
        note="The second comparison keeps the right end and leaves the symmetrised divergence alone.",
    ),
    Entry(
        "uncertainty",
        DEEPCORE,
        "Uncertainty keeps the most confident samples",
        "deepcore/methods/uncertainty.py, Uncertainty.finish_run and rank_uncertainty",
        "Without balance the ranking is read from its wrong end. Least confidence is also taken of logits, whose "
        "largest ranks otherwise than the largest probability.",
        "run",
        (
            pair("least-confidence-deepcore", "least-confidence"),
            pair("least-confidence-deepcore@low", "least-confidence"),
        ),
        note="The second comparison keeps the right end and leaves the logits alone; so does the project with balance, "
        "which is its default.",
    ),
    Entry(
        "log-det",
        DEEPCORE,
        "Log-determinant rewards redundancy",
        "deepcore/methods/methods_utils/submodular_function.py, LogDeterminant.calc_gain",
        "The gain lacks the minus sign and the diagonal term: it is what the picks explain of a sample, and should be "
        "what they leave unexplained.",
        "run",
        (pair("log-det-deepcore", "log-det"),),
        "{n} points in {clusters} clusters, {k} picked. Clusters with a pick: {faulty}, without the fault {right}.",
    ),
    Entry(
        "facility-location",
        DEEPCORE,
        "Facility location covers the first batch alone",
        "deepcore/methods/methods_utils/submodular_function.py, FacilityLocation.calc_gain_batch (Craig without "
        "balance)",
        "The loop over batches counts in rows and multiplies by the batch size once more; every slice after the first "
        "lies beyond the data.",
        "run",
        (pair("facility-location-deepcore", "facility-location"),),
        "{n:,} points in two clusters, the second one after the first in the file, batches of {batch}, {k} picked: "
        "{faulty} picks in the second cluster, {right} without the fault.",
    ),
    Entry(
        "stochastic-greedy",
        DEEPCORE,
        "Stochastic greedy draws one candidate",
        "deepcore/methods/methods_utils/submodular_optimizer.py, StochasticGreedy",
        "The default epsilon of 0.9 looks at 0.105 n/k random candidates a step, one at a tenth of the data: a random "
        "set. The bound 1 - 1/e - epsilon is then below 0.",
        "read",
        (
            pair("stochastic-greedy-deepcore", "facility-location"),
            pair("stochastic-greedy-deepcore", "random@balanced"),
        ),
        "Candidates a step: {tenth} at 10 % and {third} at 30 % of {n:,} samples, {usual} at 10 % with epsilon = 0.01.",
        note="The optimiser is not the project's default.",
    ),
    Entry(
        "gradmatch",
        DEEPCORE,
        "GradMatch's ridge swamps its gradients",
        "deepcore/methods/gradmatch.py, GradMatch.orthogonal_matching_pursuit_np",
        "Gradients are divided by the batch size, their Gram matrix by its square; beside it a ridge of 1 is all that "
        "counts, and the pursuit is nearly a plain top-k. Negative weights go after the last pick, so that fewer "
        "samples than asked can come back.",
        "run",
        (
            pair("gradmatch-deepcore", "gradmatch"),
            pair({"method": "gradmatch-deepcore", "weights": False}, {"method": "gradmatch", "weights": False}),
        ),
        "{n} samples of one class, {k} picked: {faulty} are the plain top-k by inner product with the mean gradient, "
        "{right} without the fault.",
        note="The picks are nearly the same; most of the difference is in the weights, which under such a ridge are "
        "little else than inner products with the mean gradient; trained with TRADES on these, models stay near "
        "chance. The second comparison trains on the picks alone.",
        doubt="That fewer come back than asked was not seen on digits, nor on this set.",
    ),
    Entry(
        "craig-weights",
        DEEPCORE,
        "CRAIG's weights are 1 too large",
        "deepcore/methods/craig.py, Craig.calc_weights",
        "A pick's weight counts the samples that it stands for, itself among them, and starts from 1. Weights sum to "
        "n + k, and small clusters count for too much.",
        "run",
        (pair("craig-deepcore", "craig"),),
        "{n:,} samples, {k} picks: the weights sum to {faulty:,.0f}, {right:,.0f} without the fault.",
    ),
    Entry(
        "budgets",
        DEEPCORE,
        "Budgets are rounded class by class, and the greedy order is lost",
        "every method with balance=True; deepcore/methods/methods_utils/submodular_optimizer.py for the order",
        "round(f n) is asked of each class, and the sum is not always round(f n) of all. Greedy picks come back as the "
        "indices of a mask, in ascending order.",
        "read",
        shown="{n:,} samples in three classes at 50 %: {returned} of {k} asked come back.",
        note="Nothing is trained: the harness refuses a set of the wrong size.",
        method="random-deepcore",
    ),
    Entry(
        "forgetting",
        DEEPCORE,
        "What was never learnt is kept last, and ties go by position",
        "deepcore/methods/forgetting.py, Forgetting.after_loss and Forgetting.select",
        "A sample that was never right has been forgotten 0 times and ranks with the easiest; the paper counts it "
        "among the most forgettable. A sort of small whole numbers lets the order of the file decide between equals.",
        "run",
        (pair("forgetting-deepcore", "forgetting"),),
        "{n} samples, {never} never learnt, {k} picked: {faulty} of these are picked, {right} without the fault. With "
        "the file read backwards {same} of the {k} picks stay.",
        note="Between equal counts the project leaves the order to NumPy's default sort; ours is stable, for the same "
        "picks on every machine.",
    ),
    Entry(
        "ccs-balance",
        CCS,
        "Every class gets the last one's budget",
        "core/data/Coreset.py, CoresetSelection.score_monotonic_selection with class_balanced",
        "A loop over the classes keeps the count of the last one, and the next loop takes its share for all.",
        "run",
        shown="{n:,} samples in three classes at 10 %: {first}, {second} and {third} are kept, {total} of {k}.",
        note="Nothing is trained: the harness refuses a set of the wrong size. The mode is off by default, and exact "
        "where classes are of one size, as in CIFAR.",
        method="aum-ccs",
    ),
    Entry(
        "ccs-el2n",
        CCS,
        "EL2N is a sum over ten epochs of training-mode outputs",
        "generate_importance_score.py, EL2N",
        "Error norms of the first ten epochs' training steps, of augmented images, are summed over one run. The paper "
        "averages one early snapshot over ten runs.",
        "read",
        (pair("el2n-ccs", "el2n"), pair("el2n-ccs", {"method": "el2n", "params": {"proxies": 1}})),
        doubt="Ten epochs are 5 % of the project's 200 and half of the 20 here. On digits nothing is augmented: only "
        "the mode and the epochs differ. It may be a choice and no oversight.",
    ),
    Entry(
        "d2-class",
        D2,
        "Easy samples pass for difficult ones",
        "core/data/Coreset.py, CoresetSelection.density_sampling (modes class and density, key accumulated_margin)",
        "The area under the margin is moved to begin at 0 and not turned round: the largest margin, the easiest "
        "sample, counts as the greatest difficulty. The mode graph turns it round.",
        "read",
        (pair("d2-class-mode", {"method": "d2", "params": {"difficulty": "aum"}}),),
        note="The project's command for CIFAR-10 uses forgetting events, which this does not touch.",
    ),
    Entry(
        "d2-stratified",
        D2,
        "No message passes between neighbours",
        "core/data/Coreset.py, CoresetSelection.stratified_sampling; core/data/sampling.py, GraphDensitySampler "
        "(mode stratified with a graph, key accumulated_margin)",
        "The area under the margin is turned round to be 0 at most, and messages are held at 1e-7 at least, so that "
        "each weighs nothing. What is subtracted from a pick's neighbours is negative and raises them.",
        "read",
        (pair("d2-stratified-mode", {"method": "d2", "params": {"difficulty": "aum"}}),),
        doubt="Read, not run: the project draws graphs within strata of the score; here they are within classes, as in "
        "the right method, so that nothing else differs.",
    ),
    Entry(
        "dual-aum",
        DUAL,
        "AUM is the margin of the last epoch",
        "exp_cifar/importance_evaluation.py, aum",
        "The sum is set to zero inside the loop over epochs.",
        "run",
        (pair("aum-dual", {"method": "aum", "params": {"outputs": "probabilities"}}),),
    ),
    Entry(
        "dual-tdds",
        DUAL,
        "TDDS looks at one window, of logits",
        "exp_cifar/importance_evaluation.py, tdds",
        "The windows of the loop are all the first one, weighted otherwise; and logarithms are taken of logits, where "
        "those below 0 have none and count nothing.",
        "run",
        (
            pair(
                {"method": "tdds-dual", "params": {"window": 5}},
                {"method": "tdds", "params": {"trajectory": 0.75, "window": 5}},
            ),
        ),
        note="Trajectory and window are shares of the project's 200 epochs; 15 and 5 of 20 stand for them.",
    ),
    Entry(
        "dual-score",
        DUAL,
        "The documented command draws by numbers of samples",
        "exp_cifar/README.md, step 3",
        "--score-path names dual_mask_T30.npy, which holds the numbers of the samples in the order of their scores; "
        "the scores are in dual_score_T30.npy. Drawn in proportion, a sample's weight is the number of another.",
        "read",
        doubt="The command may not be the one behind the paper's numbers. Nothing is measured.",
    ),
    Entry(
        "acs-beta",
        ACS,
        "TRADES' β is applied twice",
        "cords/robustselectionstrategies/supervisedlearning/dataselectionstrategy.py, compute_gradients; likewise "
        "compute_score of craigstrategy.py",
        "The gradients of the KL term are multiplied by β, and their sum is again: coresets are chosen for β² = 36 "
        "where training uses β = 6.",
        "read",
        (pair("acs-authors", "acs"),),
        shown="{n:,} samples, β = {beta:g}: the KL term is {right:.1f} % of the gradients' squared length, "
        "{faulty:.1f} % with β twice. Of {k} picks by facility location on these gradients {same} are the same.",
        note="On digits at equal sample presentations, chosen anew while the model trains; the constructed set shows "
        "how many picks are shared. Standard training has no KL term, and no difference.",
        doubt="Read, not run.",
    ),
    Entry(
        "datacull-fraction",
        DATACULL,
        "The share to remove is the share that is kept",
        "datacull/data.py, DCDataLoader.__init__",
        "pruning_rate is documented as the fraction to remove (0.2 keeps 80 %); the code keeps ceil(pruning_rate N).",
        "run",
        shown="pruning_rate = {rate} of {n:,} samples: {documented} are kept by the documentation, {kept} by the code.",
        note="Nothing is trained: the harness refuses a set of the wrong size. The loaders of single methods document "
        "the same argument as the fraction to keep.",
        method="random-datacull",
    ),
)
