"""Where the numbers of a report come from: rasters, versions, inputs, settings."""

from __future__ import annotations

from geosoil.report.document import (
    Block,
    Code,
    Heading,
    Listing,
    Paragraph,
    Section,
    Table,
    Text,
)
from geosoil.report.record import RunRecord, text_of
from geosoil.report.settings_numbers import settings_table


def provenance_section(record: RunRecord) -> Section:
    """Return versions, seed, inputs with their digests, and settings.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section
        What is needed to run the study again.
    """
    blocks: list[Block] = [
        Paragraph(
            (
                "Every number of this page is a row of ",
                Code("tables/report_numbers.csv"),
                " with its unit and the table that it comes from; its column “number” "
                "is the number's anchor in this page. ",
                Code("provenance.json"),
                " holds the digests of all files of the run.",
            )
        ),
        *_maps(record),
        *_software(record),
        *_inputs(record),
    ]
    if record.settings:
        blocks.append(
            Listing("Settings of the run", (settings_table(record.settings),))
        )
    return Section("provenance", "Provenance", tuple(blocks))


def _maps(record: RunRecord) -> list[Block]:
    """Rasters of the run in their own words."""
    if not record.maps:
        return []
    rows: list[tuple[Text, ...]] = [
        ((found.group,), (found.title,), (found.units,), (Code(found.file),))
        for found in record.maps
    ]
    heads = ("group", "raster", "unit", "file")
    table = Table(("Rasters that the run wrote.",), heads, tuple(rows), 2, wide=True)
    return [Listing("Rasters of the run", (table,))]


def _software(record: RunRecord) -> list[Block]:
    """Versions, seed and the digest of the settings."""
    if not record.software:
        return []
    rows: list[tuple[Text, ...]] = [
        ((text_of(name),), (Code(text_of(version)),))
        for name, version in record.software.items()
    ]
    seed = record.setting("study", "seed", default="")
    digest: Text = (
        "Hash of the settings (SHA-256): ",
        Code(record.settings_digest),
        "; seed of all random numbers: ",
        Code(text_of(seed)),
        ".",
    )
    return [
        Heading("Software and settings", "software"),
        Paragraph(digest),
        Table(("Versions.",), ("software", "version"), tuple(rows)),
    ]


def _inputs(record: RunRecord) -> list[Block]:
    """Return the inputs with their digests."""
    if not record.inputs:
        return []
    words = (
        "Every input agreed with the checksum that lay beside it."
        if record.verified
        else "Not every input has a checksum beside it that it could be held against; "
        "the digests tell which bytes were read."
    )
    rows: list[tuple[Text, ...]] = [
        ((Code(name),), (Code(digest),)) for name, digest in record.inputs.items()
    ]
    table = Table(("Inputs.",), ("file", "SHA-256"), tuple(rows), wide=True)
    return [
        Heading("Inputs", "inputs"),
        Paragraph((words,)),
        Listing("Inputs with their SHA-256", (table,)),
    ]
