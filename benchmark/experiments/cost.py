"""About how long a suite's experiments will take, before they start."""

from benchmark.execution.estimate import GRADIENT, measured, trace_work, training_work
from benchmark.experiments.lab import Lab
from benchmark.experiments.scales import ANOTHER, STANDARD

DEEPFOOL = 60  # forward-equivalents an image: two or three iterations with nine rivals each


def seconds_left(lab: Lab) -> float:
    """Seconds for the proxies that the store lacks, and for what is then measured on them.

    At rates that are measured here and now; what is measured on a proxy that is there already is not counted.
    """
    data, scale, store, total = lab.workshop.data, lab.scale, lab.workshop.store, 0.0
    facts = {"pool": len(data.train), "select": len(data.select)}
    attacked = scale.images * (GRADIENT * scale.steps * scale.levels.bit_length() + DEEPFOOL)
    for proxy, training in lab.proxies.items():
        traces = [lab.trace(proxy, replicate) for replicate in lab.replicates]
        todo = [trace for trace in traces if not trace.done(store)]
        if not todo:
            continue
        rates = measured(training, data, lab.workshop.device)
        total += sum(trace_work(trace, facts) for trace in todo) * rates.training
        if proxy in (STANDARD, ANOTHER):
            total += len(todo) * attacked * rates.attacks
        if proxy == STANDARD:  # trained once more, for its free gradients
            total += len(todo) * training_work(training.recipe, len(data.train), len(data.train)) * rates.training
    return total
