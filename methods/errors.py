"""Errors that a person reads: one sentence that names the thing and the mend."""

from collections.abc import Iterable
from difflib import get_close_matches


class CoresetBenchError(Exception):
    """Something failed while running. The command line prints the message and exits with status 1."""

    exit_status = 1


class UsageError(CoresetBenchError):
    """Something was asked for that cannot be: a wrong name, option or file. Exit status 2."""

    exit_status = 2


class Interrupted(CoresetBenchError):
    """The person stopped it. Exit status 130, as shells have it."""

    exit_status = 130


def unknown(kind: str, name: str, choices: Iterable[str]) -> UsageError:
    """The error for a name that is not known, with the nearest known one or all of them."""
    known = sorted(choices)
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known) or 'none'}."
    return UsageError(f"Unknown {kind} '{name}'; {hint}")
