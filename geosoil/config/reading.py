"""Read settings files: every fault in words, paths relative to the file."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from geosoil.config.base import Settings
from geosoil.config.study import StudyConfig
from geosoil.config.tracers import ZeroRuleFile, ZeroRuleSettings
from geosoil.errors import ConfigError, MissingFileError

Model = TypeVar("Model", bound=Settings)


def read_config(path: str | Path) -> StudyConfig:
    """Read and check a geosoil.toml; paths in it are relative to the file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    config : StudyConfig
        Frozen settings with absolute paths.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    ConfigError
        If it is no TOML or breaks a rule; every fault is listed, an unknown key
        with the nearest known one.
    """
    file = Path(path)
    config = _read_settings(file, StudyConfig, "Write one with 'geosoil init SAMPLES'")
    return _placed(config, file.resolve())


def read_record(
    settings: Mapping[str, object], record: str | Path, place: Callable[[str], Path]
) -> StudyConfig:
    """Build settings again from the record of a run.

    Parameters
    ----------
    settings : mapping
        Settings as plain values, as a record of provenance holds them.
    record : str or Path
        The record, for messages.
    place : callable
        Where a file of a name of the record lies.

    Returns
    -------
    config : StudyConfig
        Frozen settings with absolute paths.

    Raises
    ------
    ConfigError
        If a setting is unknown or breaks a rule; every fault is listed.
    """
    config = _checked(dict(settings), StudyConfig, f"The record '{record}'")
    placed: StudyConfig = _with_paths(config, lambda path: place(path.as_posix()))
    return placed.placed(place("geosoil.toml"))


def read_zero_rules(path: str | Path) -> tuple[ZeroRuleSettings, ...]:
    """Read and check a file of zero rules.

    Parameters
    ----------
    path : str or Path
        TOML file of tables ``[[rule]]`` with source, period, below, above.

    Returns
    -------
    rules : tuple of ZeroRuleSettings
        The rules.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    ConfigError
        If it is no TOML or breaks a rule; every fault is listed.
    """
    hint = "Write one with tables [[rule]]: source, period, below or above"
    return _read_settings(Path(path), ZeroRuleFile, hint).rule


def _read_settings(file: Path, model: type[Model], hint: str) -> Model:
    """Read a TOML file into a settings model; tell every fault."""
    if not file.is_file():
        message = f"There is no settings file '{file}'. {hint}, or name another."
        raise MissingFileError(message)
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"Settings file '{file}' is no valid TOML: {error}."
        raise ConfigError(message) from error
    return _checked(data, model, f"Settings file '{file}'")


def _checked(data: dict[str, Any], model: type[Model], what: str) -> Model:
    """Check plain values against a settings model; tell every fault."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        told = [_words(fault, model) for fault in error.errors()]
        faults = "\n".join(f"  - {words}" for words in told)
        message = f"{what} has {error.error_count()} fault(s):\n{faults}"
        raise ConfigError(message) from error


def _words(fault: Any, model: type[Settings]) -> str:  # noqa: ANN401  ErrorDetails
    """One pydantic fault in words, with the nearest known key."""
    where = ".".join(str(part) for part in fault["loc"]) or "file"
    if fault["type"] == "extra_forbidden":
        known = _known_keys(fault["loc"][:-1], model)
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else f" Known: {', '.join(known)}."
        return f"unknown key '{where}'.{hint}"
    if fault["type"] == "missing":
        return f"'{where}' is missing. Add it."
    return f"'{where}': {fault['msg']}; found {fault['input']!r}."


def _known_keys(trail: tuple[str | int, ...], root: type[Settings]) -> list[str]:
    """Keys that are allowed in the table at a place of the file."""
    model: Any = root
    for part in trail:
        if isinstance(part, int) or not hasattr(model, "model_fields"):
            continue
        field = model.model_fields.get(str(part))
        model = _inner_model(field.annotation) if field else model
    return list(getattr(model, "model_fields", {}))


def _inner_model(annotation: Any) -> Any:  # noqa: ANN401  a typing construct
    """Return the settings class named by dict[str, LayerSettings] and the like."""
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, Settings):
            return candidate
    return annotation


def _placed(config: StudyConfig, file: Path) -> StudyConfig:
    """Copy of settings with absolute paths that start at the folder of their file."""
    placed: StudyConfig = _with_paths(
        config, lambda path: Path(os.path.normpath(file.parent / path))
    )
    return placed.placed(file)


def _with_paths(value: Any, place: Callable[[Path], Path]) -> Any:  # noqa: ANN401
    """Copy of settings of any kind in which every path is put in its place."""
    if isinstance(value, Path):
        return place(value)
    if isinstance(value, Settings):
        names = type(value).model_fields
        changed = {name: _with_paths(getattr(value, name), place) for name in names}
        return value.model_copy(update=changed)
    if isinstance(value, dict):
        return {key: _with_paths(item, place) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_with_paths(item, place) for item in value)
    return value
