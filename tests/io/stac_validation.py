"""Validation of STAC files against schemas kept with the tests, without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pystac.stac_object import STACObjectType
from pystac.validation.stac_validator import JsonSchemaSTACValidator

from geosoil.io.stac import EXTENSIONS

SCHEMAS = Path(__file__).parent / "stac_schemas"


class OfflineValidator(JsonSchemaSTACValidator):
    """A validator that knows the extensions and may fetch nothing."""

    def __init__(self) -> None:
        super().__init__()
        for name, address in EXTENSIONS.items():
            version = address.split("/")[-2]
            text = (SCHEMAS / f"{name}-{version}.json").read_text(encoding="utf-8")
            self.schema_cache[address] = json.loads(text)

    def _get_schema(self, schema_uri: str) -> dict[str, Any]:
        if schema_uri not in self.schema_cache:
            message = f"{schema_uri} is not kept with the tests"
            raise AssertionError(message)
        return self.schema_cache[schema_uri]


def validate(told: dict[str, Any]) -> list[str]:
    """Validate one STAC file; return the schemas that it was held against."""
    kind = STACObjectType(told["type"])
    return OfflineValidator().validate(
        told, kind, told["stac_version"], told["stac_extensions"]
    )
