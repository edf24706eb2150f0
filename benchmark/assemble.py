"""From the store to records: reads what the stages left, computes nothing, imports no torch."""

from collections.abc import Mapping
from typing import Any, Literal

from benchmark.plan import FULL, Cell, Plan, Stage
from benchmark.records import Cost, Factors, Failure, Radii, Record, Results, Verdict, pack_bits, pack_levels
from benchmark.spec import Suite
from benchmark.store import Artifact, Store
from methods.api import HELD_OUT, Budget

SQUARE_GAIN = 0.002  # AutoAttack's own limit: Square alone breaking more hints at masked gradients


def assemble(plan: Plan, cell: Cell, facts: Mapping[str, Any], store: Store, failure: Failure | None) -> Record | None:
    """The record of a cell; None where a stage is missing or damaged and no failure explains it.

    `facts` is the meta of the data stage.
    """
    keys = {"model": cell.model.key, **{name: stage.key for name, stage in cell.outcomes.items()}}
    if cell.selection:
        keys = {"coreset": cell.selection.coreset.key, **keys}
    if failure:
        factors = _factors(plan.suite, cell, facts, Budget.of(cell.fraction, facts["pool"]).k, 0)
        return _record(plan.suite, cell, keys, factors, failure=failure)
    coreset = _read(store, cell.selection.coreset) if cell.selection else Artifact({}, {})
    model = _read(store, cell.model)
    outcomes = {name: _read(store, stage) for name, stage in cell.outcomes.items()}
    if coreset is None or model is None or not all(outcomes.values()):
        return None
    made = {name: artifact for name, artifact in outcomes.items() if artifact}
    effective = coreset.meta.get("effective_size", model.meta["k"])
    return _record(
        plan.suite,
        cell,
        keys,
        _factors(plan.suite, cell, facts, model.meta["k"], effective, model.meta["steps"]),
        results=_results(cell, facts, made),
        flags=_flags(made),
        cost=_cost(cell, store, coreset, model, made),
        provenance=model.meta["provenance"],
    )


def _read(store: Store, stage: Stage) -> Artifact | None:
    return store.read(stage.kind, stage.key)


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


def _factors(suite: Suite, cell: Cell, facts: Mapping[str, Any], k: int, effective: int, steps: int = 0) -> Factors:
    selection = cell.selection
    needs = selection.method.info.needs if selection else ()
    proxy = suite.proxies[selection.row.proxy] if selection and selection.traces else None
    return Factors(
        dataset=suite.dataset.name,
        checksum=facts["checksum"],
        pool=facts["pool"],
        num_classes=facts["num_classes"],
        row=cell.name,
        method=selection.row.method if selection else FULL,
        policy=selection.row.policy if selection else None,
        params=dict(selection.params) if selection else {},
        proxy=selection.row.proxy if selection and proxy else "",
        proxy_model=proxy.model if proxy else "",
        proxy_epochs=selection.proxy_epochs if selection else 0,
        reads_select=any(need.startswith(HELD_OUT) for need in needs),
        fraction=cell.fraction,
        k=k,
        effective_size=effective,
        regime=cell.regime_name,
        model=cell.regime.model,
        recipe=cell.regime.recipe,
        optimiser_steps=steps,
        epsilons=cell.regime.epsilons,
        primary=cell.regime.primary,
        replicate=cell.replicate,
        seeds=cell.seeds,
    )


def _results(cell: Cell, facts: Mapping[str, Any], outcomes: Mapping[str, Artifact]) -> Results:
    clean = outcomes["clean"]
    pgd = cell.outcomes["pgd"].spec
    bits = outcomes["pgd"].arrays["bits"]
    verdicts = [
        Verdict(attack=f"pgd-{pgd['steps']}", epsilon=epsilon, images=bits.shape[1], bits=pack_bits(row))
        for epsilon, row in zip(pgd["epsilons"], bits, strict=True)
    ]
    if "autoattack" in outcomes:
        stages = outcomes["autoattack"].arrays
        order = [name for name in ("apgd-ce", "apgd-t", "fab-t", "square") if name in stages]
        verdicts.append(
            Verdict(
                attack="autoattack",
                epsilon=cell.outcomes["autoattack"].spec["epsilon"],
                images=len(stages[order[-1]]),
                bits=pack_bits(stages[order[-1]]),
                stages={name: pack_bits(stages[name]) for name in order},
                omitted=tuple(outcomes["autoattack"].meta["notes"].get("omitted", ())),
            )
        )
    search = cell.outcomes["radii"].spec
    levels = outcomes["radii"].arrays["levels"]
    step = search["bound"] * search["largest"] / search["levels"]
    return Results(
        images=facts["test"],
        clean=pack_bits(clean.arrays["bits"]),
        attacks=tuple(verdicts),
        radii=Radii(step=step, levels=search["levels"], images=len(levels), codes=pack_levels(levels)),
        class_counts=tuple(facts["class_counts"]),
        clean_by_class=tuple(clean.meta["clean_by_class"]),
    )


def _flags(outcomes: Mapping[str, Artifact]) -> tuple[str, ...]:
    """Signs that gradients misled the attacks; see `benchmark.attacks.autoattack`."""
    notes = outcomes["autoattack"].meta["notes"] if "autoattack" in outcomes else {}
    limits = {
        "square-gain": ("square_gain", SQUARE_GAIN),
        "zero-gradients": ("zero_gradients", 0),
        "nonfinite-logits": ("nonfinite", 0),
    }
    return tuple(flag for flag, (note, limit) in limits.items() if notes.get(note, 0) > limit)


def _cost(cell: Cell, store: Store, coreset: Artifact, model: Artifact, outcomes: Mapping[str, Artifact]) -> Cost:
    """Seconds and passes as first computed. The proxy's are those of all the runs that the row reads."""
    traces = cell.selection.traces if cell.selection else ()
    proxies = [artifact.meta for artifact in (_read(store, trace.proxy) for trace in traces) if artifact]
    attacks = {name: artifact.meta for name, artifact in outcomes.items()}
    seconds = {
        "proxy": sum(meta["seconds"] for meta in proxies),
        "select": coreset.meta.get("seconds", 0.0),
        "train": model.meta["seconds"],
        **{name: meta["seconds"] for name, meta in attacks.items()},
    }
    parts = [model.meta, *attacks.values()]
    return Cost(
        seconds={name: round(value, 4) for name, value in seconds.items()},
        forward=sum(part["forward"] for part in parts),
        backward=sum(part["backward"] for part in parts),
        peak_bytes=max(part["peak_bytes"] for part in parts),
    )
