"""What every table of a study file is made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed as all libraries take it."""
Share = Annotated[float, Field(ge=0, le=1)]


def _refuse_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


Words = Annotated[str, AfterValidator(_refuse_blank)]
"""A text that says something."""


class StrictModel(BaseModel):
    """A frozen model that refuses unknown keys and other types: `"5"` and `true` are no numbers.

    An integer may stand for a float, and a list for a tuple.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _read_lists(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
        return data
