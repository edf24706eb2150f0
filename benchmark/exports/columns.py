"""Columns of a table: each of one type, which the fields of a record state, whatever the values at hand."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

from methods.errors import CoresetBenchError

if TYPE_CHECKING:
    import pyarrow

Kind = Literal["bool", "int", "float", "text", "json"]
_ANY: TypeAdapter[Any] = TypeAdapter(Any)
_SCALARS: dict[frozenset[Any], Kind] = {
    frozenset({bool}): "bool",
    frozenset({int}): "int",
    frozenset({float}): "float",
    frozenset({int, float}): "float",
    frozenset({str}): "text",
}


@dataclass(frozen=True)
class Column:
    """Values of one kind, None where there is none; "json" is text that holds a list or an object."""

    name: str
    kind: Kind
    values: Sequence[Any]


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Kind]]:
    """The name and kind of each field, those of nested specifications by dotted names: ("recipe.lr", "float")."""
    for name, field in model.model_fields.items():
        types = _types(field.annotation)
        nested = next((each for each in types if isinstance(each, type) and issubclass(each, BaseModel)), None)
        if nested is not None and len(types) == 1:
            yield from leaves(nested, f"{prefix}{name}.")
        else:
            yield prefix + name, _SCALARS.get(types, "json")


def value_at(model: BaseModel, name: str, kind: Kind) -> Any:
    """What a model holds under a dotted name, defaults included; None where what would hold it is not there."""
    found: Any = model
    for part in name.split("."):
        if found is None:
            return None
        found = getattr(found, part)
    return spelled(_ANY.dump_python(found, mode="json"), kind)


def spelled(value: Any, kind: Kind) -> Any:
    """A value as its column holds it: what is no number is absent, and lists and objects are JSON."""
    if kind == "json":
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return None if isinstance(value, float) and math.isnan(value) else value


def to_csv(columns: Sequence[Column]) -> bytes:
    """Comma-separated, quoted where need be; an absent value is empty."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows(zip(*(column.values for column in columns), strict=True))
    return file.getvalue().encode()


def to_table(columns: Sequence[Column]) -> "pyarrow.Table":
    """The same as an Arrow table.

    Raises:
        CoresetBenchError: a value is not of its column's type, such as a whole number of more than 64 bits.
    """
    import pyarrow as arrow

    types = {
        "bool": arrow.bool_(),
        "int": arrow.int64(),
        "float": arrow.float64(),
        "text": arrow.string(),
        "json": arrow.string(),
    }
    arrays = []
    for column in columns:
        try:
            arrays.append(arrow.array(column.values, type=types[column.kind]))
        except (arrow.ArrowException, OverflowError) as error:
            raise CoresetBenchError(f"The column '{column.name}' cannot be written as Parquet: {error}") from None
    return arrow.Table.from_arrays(arrays, names=[column.name for column in columns])


def to_parquet(tables: Iterable["pyarrow.Table"]) -> bytes:
    """Tables of one schema as one Parquet file, a group of rows for each."""
    import pyarrow.parquet as parquet

    file, writer = io.BytesIO(), None
    for table in tables:
        writer = writer or parquet.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=max(1, table.num_rows))
    if writer:
        writer.close()
    return file.getvalue()


def _types(annotation: Any) -> frozenset[Any]:
    """The types that an annotation allows beside None; a generic one, such as a list, stands for itself."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _types(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return frozenset().union(*(_types(each) for each in get_args(annotation) if each is not NoneType))
    if origin is Literal:
        return frozenset(type(value) for value in get_args(annotation))
    return frozenset({annotation})
