"""From the store, or from records of another run, to records: computes nothing, imports no torch."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from benchmark.charges import BACKWARD, Charge, allowance
from benchmark.leaderboard import masking
from benchmark.plan import Cell, Plan, Stage, contestants, count_nulls
from benchmark.records import (
    BUDGET,
    UNSEARCHED,
    Calibration,
    Cost,
    Factors,
    Failure,
    Radii,
    Record,
    Results,
    Sign,
    Verdict,
    Work,
    pack_bits,
    pack_levels,
)
from benchmark.spec import FULL, Suite
from benchmark.stages.network import of_one_network
from benchmark.store import Artifact, Store
from methods.api import HELD_OUT, Budget
from methods.dynamics import described

DESCENTS = {"pgd": "pgd", "margin": "margin-pgd"}  # outcomes with one line of bits for each epsilon, and their names


def assemble(plan: Plan, cell: Cell, facts: Mapping[str, Any], store: Store, failure: Failure | None) -> Record | None:
    """The record of a cell; None where a stage is missing or damaged, or outcomes are of another network than the
    model, and no failure explains it.

    `facts` is the meta of the data stage.
    """
    measured = _read(store, cell.calibration) if cell.calibration else None
    if cell.unaffordable and (measured or not cell.calibration):
        failure = Failure(stage=BUDGET, message=cell.unaffordable)
    made_from, cell = keys(cell), _settled(cell, measured)
    if failure:
        factors = _factors(plan, cell, facts, measured, {"k": Budget.of(cell.fraction, facts["pool"]).k}, 0)
        return _record(plan.suite, cell, made_from, factors, failure=failure)
    coreset = _read(store, cell.selection.coreset) if cell.selection else Artifact({}, {})
    model = store.read(cell.model.kind, cell.model.key, whole=False)
    outcomes = {name: _read(store, stage) for name, stage in cell.outcomes.items()}
    if coreset is None or model is None or (cell.calibration and measured is None):
        return None
    if not of_one_network(model, outcomes.values()):
        return None
    made = {name: artifact for name, artifact in outcomes.items() if artifact}
    proxies = _proxies(cell, store)
    effective = coreset.meta.get("effective_size", model.meta.get("seen", model.meta["k"]))
    if cell.selection and not cell.selection.row.weights:
        effective = model.meta["k"]
    results = _results(cell, facts, made)
    return _record(
        plan.suite,
        cell,
        made_from,
        _factors(plan, cell, facts, measured, model.meta, effective),
        results=results,
        flags=masking.flags(results.signs),
        cost=_cost(proxies, coreset, model, made),
        provenance=_provenance({**proxies, "model": model, **made}),
    )


def restate(plan: Plan, cell: Cell, facts: Mapping[str, Any], store: Store, record: Record) -> Record:
    """The record of another run with these very keys as one of this plan, whose suite may have other rows.

    Results and costs stay; what a record says of its suite is this one's. A primary epsilon that was measured anew, as
    another recipe asks for it, holds for all.
    """
    old, measured = record.factors, None
    if cell.calibration:
        measured = _read(store, cell.calibration)
    if not measured and old.calibration:
        measured = Artifact({}, {**old.calibration.canonical(), "primary": old.primary})
    model = {"k": old.k, "presentations": old.presentations, "steps": old.optimiser_steps}
    if cell.reselection and old.work:
        model["forward"] = old.work.alone + old.work.training
    factors = _factors(plan, _settled(cell, measured), facts, measured, model, old.effective_size)
    about = {"suite": plan.suite.name, "suite_version": plan.suite.version, "cell": cell.id}
    return record.model_copy(update={**about, "factors": factors})


def keys(cell: Cell) -> dict[str, str]:
    """Those of the stages that a record names."""
    coreset = {"coreset": cell.selection.coreset.key} if cell.selection else {}
    return {**coreset, "model": cell.model.key, **{name: stage.key for name, stage in cell.outcomes.items()}}


def _read(store: Store, stage: Stage) -> Artifact | None:
    return store.read(stage.kind, stage.key)


def _proxies(cell: Cell, store: Store) -> dict[str, Artifact]:
    """The proxies that the row reads, by name; a coreset may outlive its proxies in the store."""
    runs = [trace.proxy for trace in cell.selection.traces] if cell.selection else []
    found = {f"proxy/{index}": store.read(run.kind, run.key, whole=False) for index, run in enumerate(runs)}
    return {name: artifact for name, artifact in found.items() if artifact}


def _record(suite: Suite, cell: Cell, keys: dict[str, str], factors: Factors, **parts: Any) -> Record:
    status: Literal["ok", "failed"] = "failed" if "failure" in parts else "ok"
    return Record(
        suite=suite.name,
        suite_version=suite.version,
        cell=cell.id,
        keys=keys,
        status=status,
        factors=factors,
        **parts,
    )


def _factors(
    plan: Plan,
    cell: Cell,
    facts: Mapping[str, Any],
    measured: Artifact | None,
    model: Mapping[str, Any],
    effective: int,
) -> Factors:
    suite, selection, chosen = plan.suite, cell.selection, cell.selection or cell.reselection
    needs = chosen.method.info.needs if chosen else ()
    presented = model.get("presentations", model.get("forward", 0) // cell.regime.recipe.passes[0])
    proxy = suite.proxies[selection.row.proxy] if selection and selection.traces else None
    return Factors(
        suite_fractions=suite.fractions,
        suite_replicates=suite.replicates,
        suite_cells=contestants(suite) * len(suite.on_clocks()) * suite.replicates,
        dataset=suite.dataset.name,
        dataset_spec=suite.dataset,
        checksum=facts["checksum"],
        pool=facts["pool"],
        num_classes=facts["num_classes"],
        row=cell.name,
        method=chosen.row.method if chosen else FULL,
        policy=getattr(chosen.method, "rule", None) if chosen else None,
        params=dict(chosen.params) if chosen else {},
        proxy=selection.row.proxy if selection and proxy else "",
        proxy_model=proxy.model if proxy else "",
        proxy_recipe=proxy.recipe if proxy else None,
        proxy_epochs=selection.proxy_epochs if selection else 0,
        reads_select=any(need.startswith(HELD_OUT) for need in needs),
        fraction=cell.fraction,
        k=model["k"],
        effective_size=effective,
        regime=cell.regime_name,
        model=cell.regime.model,
        recipe=cell.regime.recipe,
        optimiser_steps=model.get("steps", 0),
        epsilons=cell.regime.epsilons,
        primary=cell.regime.primary if isinstance(cell.regime.primary, float) else None,
        calibration=_calibration(measured),
        replicate=cell.replicate,
        seeds=cell.seeds,
        track="dynamic" if cell.reselection else "static",
        own_budget=cell.reselection is not None and described(cell.reselection.method).own_budget,
        presentations=presented,
        work=None if chosen and chosen.method.info.trains else _work(plan, cell, facts, model, presented),
        null=cell.null,
        suite_nulls=count_nulls(suite),
        suite_family=suite.family,
        suite_proxy_seeds=suite.proxy_seeds,
    )


def _work(plan: Plan, cell: Cell, facts: Mapping[str, Any], model: Mapping[str, Any], presented: int) -> Work:
    """`model` is what its stage left; empty but for `k` where it failed."""
    recipe, parts = cell.regime.recipe, (facts["pool"], facts.get("select", 0))  # stores of old do not say the second
    training, budget = presented * recipe.work, None
    alone, shared = 0, 0.0
    if cell.reselection:
        alone = model.get("forward", 0) + BACKWARD * model.get("backward", 0) - training
        shared = float(alone)
    elif cell.selection:
        alone = sum(cell.selection.charges, Charge()).of(*parts)
        shares = plan.shared[cell.selection.coreset.key]
        shared = sum(share * images for share, images in zip(shares, parts, strict=True))
    if recipe.clock == "cost":
        budget = recipe.epochs * model["k"] * recipe.work + allowance(plan.suite).of(*parts)
    return Work(alone=alone, shared=round(shared, 3), training=training, budget=budget)


def _settled(cell: Cell, measured: Artifact | None) -> Cell:
    """The cell with the primary epsilon that its calibration found."""
    if measured is None:
        return cell
    return replace(cell, regime=cell.regime.model_copy(update={"primary": measured.meta["primary"]}))


def _calibration(measured: Artifact | None) -> Calibration | None:
    if measured is None:
        return None
    meta = measured.meta
    return Calibration(images=meta["images"], clean=meta["clean"], robust=tuple(meta["robust"]))


def _results(cell: Cell, facts: Mapping[str, Any], outcomes: Mapping[str, Artifact]) -> Results:
    clean = outcomes["clean"]
    return Results(
        images=facts["test"],
        clean=pack_bits(clean.arrays["bits"]),
        attacks=tuple(_verdicts(cell, outcomes)),
        radii=_radii(cell, outcomes["radii"]) if "radii" in outcomes else UNSEARCHED,
        class_counts=tuple(facts["class_counts"]),
        clean_by_class=tuple(clean.meta["clean_by_class"]),
        signs=_signs(cell, outcomes),
    )


def _radii(cell: Cell, searched: Artifact) -> Radii:
    search, levels = dict(cell.outcomes["radii"].spec), searched.arrays["levels"]
    step = search["bound"] * search["largest"] / search["levels"]
    return Radii(step=step, levels=search["levels"], images=len(levels), codes=pack_levels(levels), spec=search)


def _verdicts(cell: Cell, outcomes: Mapping[str, Artifact]) -> Iterator[Verdict]:
    """What each attack that the cell met found, at each epsilon."""
    for kind, name in DESCENTS.items():
        if kind in outcomes:
            spec, bits = dict(cell.outcomes[kind].spec), outcomes[kind].arrays["bits"]
            attack = f"{name}-{spec['steps']}"
            for epsilon, row in zip(spec["epsilons"], bits, strict=True):
                yield Verdict(attack=attack, epsilon=epsilon, images=len(row), bits=pack_bits(row), spec=spec)
    if "autoattack" in outcomes:
        stages = outcomes["autoattack"].arrays
        spec = {**cell.outcomes["autoattack"].spec, "epsilon": cell.regime.primary}
        order = [name for name in ("apgd-ce", "apgd-t", "fab-t", "square") if name in stages]
        yield Verdict(
            attack="autoattack",
            epsilon=spec["epsilon"],
            images=len(stages[order[-1]]),
            bits=pack_bits(stages[order[-1]]),
            stages={name: pack_bits(stages[name]) for name in order},
            omitted=tuple(outcomes["autoattack"].meta["notes"].get("omitted", ())),
            spec=spec,
        )
    if "guard" in outcomes:
        stages = outcomes["guard"].arrays
        spec = {**cell.outcomes["guard"].spec, "epsilon": cell.regime.primary}
        yield Verdict(
            attack="guard",
            epsilon=spec["epsilon"],
            images=len(stages["margin"]),
            bits=pack_bits(stages["margin"]),
            stages={name: pack_bits(stages[name]) for name in ("pgd", "margin")},
            spec=spec,
        )


def _signs(cell: Cell, outcomes: Mapping[str, Artifact]) -> dict[str, Sign]:
    """What AutoAttack and the guard showed of the model's gradients."""
    clean = outcomes["clean"].arrays["bits"]
    signs = masking.joined(
        masking.counted(outcomes[attack].meta["notes"], clean[: outcomes[attack].arrays[last].size])
        for attack, last in (("autoattack", "square"), ("guard", "margin"))
        if attack in outcomes
    )
    if "guard" in outcomes:
        guarded = outcomes["guard"].arrays["margin"]
        usual = clean[: guarded.size].copy()
        for kind in DESCENTS.keys() & outcomes.keys():
            at = list(cell.outcomes[kind].spec["epsilons"]).index(cell.regime.primary)
            usual &= outcomes[kind].arrays["bits"][at, : guarded.size]
        signs[masking.GUARD] = Sign(found=int((usual & ~guarded).sum()), of=guarded.size)
    return signs


def _cost(
    proxies: Mapping[str, Artifact], coreset: Artifact, model: Artifact, outcomes: Mapping[str, Artifact]
) -> Cost:
    """Seconds and passes as first computed; the proxies' are those of all the runs that the row reads."""
    seconds = {
        "proxy": sum(artifact.meta["seconds"] for artifact in proxies.values()),
        "select": coreset.meta.get("seconds", model.meta.get("select_seconds", 0.0)),
        "train": model.meta["seconds"],
        **{name: artifact.meta["seconds"] for name, artifact in outcomes.items()},
    }
    parts = [artifact.meta for artifact in (*proxies.values(), model, *outcomes.values())]
    return Cost(
        seconds={name: round(value, 4) for name, value in seconds.items()},
        forward=sum(part["forward"] for part in parts),
        backward=sum(part["backward"] for part in parts),
        peak_bytes=max(part.get("peak_bytes", 0) for part in parts),
    )


def _provenance(stages: Mapping[str, Artifact]) -> dict[str, Any]:
    """What all stages ran on, or what each did where they differ."""
    found = {name: stage.meta["provenance"] for name, stage in stages.items() if "provenance" in stage.meta}
    first, *others = found.values()
    return found if any(other != first for other in others) else first
