"""What every specification is, and the kinds of numbers that they hold."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

FULL = "full"  # the row of the full pool


def ratio(value: object) -> object:
    """ "8/255" as a number; what is no ratio is left for pydantic to judge."""
    if not isinstance(value, str) or "/" not in value:
        return value
    numerator, denominator = map(float, value.split("/", 1))
    if denominator == 0:
        raise ValueError("the denominator is 0")
    return numerator / denominator


Pixels = Annotated[float, BeforeValidator(ratio), Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Scalar = int | float | str | bool


class Spec(BaseModel):
    """A frozen value with no unknown keys; `canonical()` is what content addresses are made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def canonical(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
