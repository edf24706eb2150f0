"""Running the trials of a suite: in worker processes, kept in the store, resumable."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from benchmark.charges import allowance
from benchmark.execution import workers
from benchmark.execution.estimate import ASK_ABOVE, spoken, training_work
from benchmark.execution.progress import tracked
from benchmark.plan import Data, Plan, Stage, make_plan
from benchmark.randomness import derive_seed
from benchmark.results import TUNING
from benchmark.spec import Suite
from benchmark.store import Store, require_writable
from benchmark.tuning.search import EPOCHS, LR, OPTIMISER, Found, search
from benchmark.tuning.trials import Request, Trial, read_trials
from benchmark.wording import counted
from methods.api import Budget

if TYPE_CHECKING:
    from rich.console import Console

    from benchmark.execution.run import Settings

TITLES = {EPOCHS: "numbers of epochs", LR: "learning rates", OPTIMISER: "optimisers"}


def tune(suite: Suite, settings: "Settings", console: "Console") -> tuple[list[Found], list[Trial]]:
    """The recipe of each place that the suite's tuning covers, and all that was tried to find it.

    Raises:
        UsageError: the suite declares no tuning.
        CoresetBenchError: data that are not there, or a worker that died.
    """
    require_writable(settings.store)
    plan, trials = make_plan(suite, settings.data), list[Trial]()
    known = _published(suite, settings) if settings.published else {}
    with settings.pool(plan) as pool:
        facts = pool.ask(workers.facts)

        def ask(what: str, requests: Sequence[Request]) -> Mapping[Request, Trial]:
            console.print(f"{counted(len(requests), 'training')} to tell {TITLES.get(what, 'weight decays')} apart.")
            answers = _answers(plan, pool, settings, console, facts["pool"], requests, known)
            trials.extend(answers.values())
            return answers

        return search(suite, ask), trials


def _published(suite: Suite, settings: "Settings") -> dict[str, Trial]:
    """The published trials of the suite, by key."""
    path = settings.results / suite.name / TUNING
    return {trial.key: trial for trial in read_trials(path)} if path.is_file() else {}


def _answers(
    plan: Plan,
    pool: workers.Pool,
    settings: "Settings",
    console: "Console",
    n: int,
    requests: Sequence[Request],
    known: Mapping[str, Trial],
) -> dict[Request, Trial]:
    store, stages = Store(settings.store), {r: make_trial(plan.suite, plan.data, r) for r in requests}
    lacking = {r: s for r, s in stages.items() if s.key not in known and store.read(s.kind, s.key) is None}
    todo = {workers.spelled(s): r for r, s in lacking.items()}
    lost: dict[Request, str] = {}
    if todo:
        work = [float(training_work(r.recipe, Budget.of(r.fraction, n).k, n)) for r in todo.values()]
        rates = {name: pool.rates(regime.model).training for name, regime in plan.suite.on_clocks().items()}
        seconds = sum(w * rates[r.regime] for w, r in zip(work, todo.values(), strict=True)) / settings.workers
        if seconds > ASK_ABOVE:
            settings.confirm(f"They need about {spoken(seconds)}.")
        order = sorted(zip(work, todo, strict=True), reverse=True)
        failed = tracked(
            pool, console, "Training", workers.trial, [name for _, name in order], [amount for amount, _ in order]
        )
        lost = {todo[name]: why.failure.message for name, why in failed.items()}
    return {r: known.get(s.key) or _trial(store, lost, r, s.key) for r, s in stages.items()}


def _trial(store: Store, lost: Mapping[Request, str], request: Request, key: str) -> Trial:
    made = store.read("trial", key)
    right, images = (made.meta["right"], made.meta["images"]) if made else (0, 0)
    return Trial(**vars(request), images=images, right=right, failure=lost.get(request, ""), key=key)


def make_trial(suite: Suite, data: Data, request: Request) -> Stage:
    """The stage that answers a request. Random coresets have seeds of their own: no model of the suite is judged."""
    recipe, regime = request.recipe, suite.on_clocks()[request.regime]
    spec: dict[str, Any] = {
        **data.canonical(),
        "model": regime.model,
        "recipe": recipe.canonical(),
        "fraction": request.fraction,
        "seed": derive_seed("tune", request.replicate),
    }
    if recipe.objective == "trades":
        attacks = suite.attacks
        spec["epsilon"] = recipe.epsilon
        spec["pgd"] = attacks.pgd.canonical()
        spec["margin"] = attacks.margin.canonical() if attacks.margin else None
    if recipe.clock == "cost":
        spec["spare"] = asdict(allowance(suite))  # `random` spends none of it before training
    return Stage("trial", spec)
