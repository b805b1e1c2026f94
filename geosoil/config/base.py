"""The base of every table of settings: frozen, unknown keys refused."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Settings(BaseModel):
    """Base of every table of geosoil.toml: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
