"""The command group: light to import, each command loaded when it is called."""

from __future__ import annotations

import importlib
import json
import logging
import sys
import warnings
from collections.abc import Callable
from typing import TextIO

import click

from geosoil import __version__
from geosoil.errors import GeosoilError, GeosoilWarning, MissingFileError

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("geosoil.cli.study", "Make the built-in simulated study and its maps."),
    "init": ("geosoil.cli.study", "Write a geosoil.toml for your own sample table."),
    "check": ("geosoil.cli.tables", "How a sample table is read; what looks wrong."),
    "run": ("geosoil.cli.study", "Run a study: fractions, correlations, maps."),
    "verify": ("geosoil.cli.verify", "Whether a run's files are still what it wrote."),
    "rerun": ("geosoil.cli.verify", "A run again from its record, files compared."),
    "lines": ("geosoil.cli.lines", "Water lines of groups and the artefact check."),
    "fractions": ("geosoil.cli.fractions", "Source fractions of groups of samples."),
    "ndvi": ("geosoil.cli.rasters", "MODIS files to one GeoTIFF, a band a date."),
    "join": ("geosoil.cli.rasters", "Samples joined to rasters and layers."),
    "correlate": ("geosoil.cli.correlate", "Two series of rasters, cell by cell."),
    "interpolate": ("geosoil.cli.interpolate", "Points to maps: IDW, kriging, shares."),
    "map": ("geosoil.cli.map", "One figure of any GeoTIFF, in the fitting colours."),
    "report": ("geosoil.cli.report", "The report of a run: one page, all numbers."),
    "layers": ("geosoil.cli.rasters", "Rasters and layers of a study, described."),
}
"""Each command's module and its one-line help, so that --help imports nothing."""

EXIT_ERROR, EXIT_USAGE, EXIT_MISSING, EXIT_INTERRUPTED = 1, 2, 3, 130


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in the order of work."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="geosoil")
@click.option("-v", "--verbose", count=True, help="Say more; twice for everything.")
@click.option("-q", "--quiet", is_flag=True, help="Only errors on stderr.")
@click.pass_context
def cli(ctx: click.Context, verbose: int, quiet: bool) -> None:
    """Soil-water sources from isotopes, joined to satellite and climate grids.

    Results go to stdout, all else to stderr. Exit codes: 0 done, 1 error in the
    data or settings, 2 wrong usage, 3 a named file is absent, 130 interrupted.
    """
    ctx.obj = {"quiet": quiet}
    levels = [logging.WARNING, logging.INFO, logging.DEBUG]
    level = logging.ERROR if quiet else levels[min(verbose, 2)]
    logging.basicConfig(
        level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        Words after the program's name; those of the process without it.

    Returns
    -------
    code : int
        Exit code.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            cli.main(arguments, prog_name="geosoil", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except GeosoilError as error:
        click.echo(f"Error: {error}", err=True)
        return EXIT_MISSING if isinstance(error, MissingFileError) else EXIT_ERROR
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_ERROR
    return 0


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print geosoil's warnings for people; hand others to the log."""
    del file, line
    if issubclass(category, GeosoilWarning):
        click.echo(f"Warning: {message}", err=True)
    else:
        logging.getLogger(filename).debug("%s:%s %s", filename, lineno, message)


def echo_json(command: str, results: list[object], warned: list[str]) -> None:
    """Print one machine-readable answer on stdout.

    Parameters
    ----------
    command : str
        Name of the command.
    results : list
        Plain values; NaN becomes null.
    warned : list of str
        Warnings in words.
    """
    answer = {
        "command": command,
        "version": __version__,
        "results": _plain(results),
        "warnings": warned,
    }
    click.echo(json.dumps(answer, allow_nan=False, ensure_ascii=False))


def _plain(value: object) -> object:
    """Copy of nested values in which NaN is None."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value != value:  # noqa: PLR0124  NaN
        return None
    return value


def progress_printer(ctx: click.Context) -> Callable[[str], None]:
    """Return the callback that reports a stage on stderr."""
    quiet = bool(ctx.obj and ctx.obj.get("quiet"))

    def report(words: str) -> None:
        if not quiet:
            click.echo(words, err=True)

    return report
