"""Commands that carry results from machine to machine: pack, unpack."""

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.common import STORE, StorePath, app


@app.command()
def pack(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write, as .tar.gz.")],
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND", help="Leave the arrays of model, dynamic, proxy or signal behind; may be repeated."
        ),
    ] = None,
    store: StorePath = STORE,
) -> None:
    """Write the store to one file, for another machine.

    Records need no weights and no signals: without these, a run goes on elsewhere with what was finished here.

    Example: coreset-bench pack here.tar.gz --without model --without proxy --without signal
    """
    from benchmark.execution.parcel import pack as write
    from benchmark.store import Store
    from benchmark.wording import counted

    count = write(Store(store), out, without or [])
    print(f"Packed: {counted(count, 'stage result')} in {out}, {out.stat().st_size / 2**20:,.1f} MiB.")


@app.command()
def unpack(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What pack wrote.")], store: StorePath = STORE
) -> None:
    """Add to the store what another machine packed.

    Each result is held to its checksum. What the store has already stays.

    Example: coreset-bench unpack there.tar.gz
    """
    from benchmark.execution.parcel import unpack as read
    from benchmark.store import Store
    from benchmark.wording import counted

    added, there = read(Store(store), source)
    print(f"Added to {store}: {counted(added, 'stage result')}; {there:,} were there.")
