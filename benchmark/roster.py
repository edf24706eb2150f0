"""What lists and cards say of a method, and the headings under which methods stand."""

from typing import Any

HEADINGS = {
    "score": "Scores: one number a sample, which a policy turns into a set",
    "set": "Sets: chosen pick by pick",
    "dynamic": "Dynamic: chosen anew while the model trains, on a track of their own",
}


def line(method: Any) -> dict[str, Any]:
    """What the registry knows of a method, under the names that the lists print."""
    info = method.info
    return {
        "name": info.name,
        "kind": info.kind,
        "keeps": info.summary.rstrip("."),
        "direction": info.direction,
        "policy": getattr(method, "rule", None) or info.keep,
        "needs": list(info.needs),
        "parameters": [f"{key}={value}" for key, value in info.params.items()],
        "paper": info.paper,
        **({"repeats": info.repeats} if info.repeats else {}),
    }
