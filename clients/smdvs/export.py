"""Reports as a file for a spreadsheet: XLSX or CSV, never held in memory whole, never a formula.

The reports are read batch by batch, each in a transaction that is over before a byte of it is sent:
a slow or vanished reader keeps nothing open. What comes in or changes meanwhile is in the file or not.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import IO

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from clients.rp.entitlement import Reader
from clients.smdvs.export_columns import COLUMNS, Cell, cells
from clients.smdvs.filters import Filters
from clients.smdvs.storage import search as rows
from clients.smdvs.storage.exports import Export
from clients.smdvs.system import System

BATCH = 500
# What makes a spreadsheet calculate a cell of a CSV file, also after blanks; some take full-width signs too.
FORMULA_SIGNS = frozenset("=+-@\t\r\n＝＋－＠")
BOM = "\ufeff"


class Format(StrEnum):
    """The kinds of file."""

    XLSX = "xlsx"
    CSV = "csv"


# A CSV file is sent while it is made; an XLSX file is sent when it is whole, 0.3 ms of CPU for each report.
MOST = {Format.CSV: 200_000, Format.XLSX: 50_000}


def count(system: System, reader: Reader, kind: Format, filters: Filters, now: datetime) -> int:
    """How many reports the file would have; one more than MOST where there are too many."""
    wanted = rows.conditions(filters, reader.enterprise_credit_code, now)
    with system.database.reading() as session:
        return rows.count(session, wanted, MOST[kind] + 1)


def record(
    system: System, reader: Reader, kind: Format, filters: Filters, reports: int, now: datetime
) -> None:
    """Put the export in the log. It is committed when this returns: send only then."""
    export = Export(
        at=now,
        sub=reader.sub,
        enterprise_credit_code=reader.enterprise_credit_code,
        format=kind,
        filters=filters.query().removeprefix("?"),
        reports=reports,
    )
    with system.database.transaction() as session:
        session.add(export)


def lines(system: System, reader: Reader, filters: Filters, now: datetime) -> Iterator[list[Cell]]:
    """The rows of the file, newest report first."""
    wanted = rows.conditions(filters, reader.enterprise_credit_code, now)
    before: int | None = None
    while True:
        with system.database.reading() as session:
            batch = rows.list_before(session, wanted, before, BATCH)
            documents = rows.newest_documents(session, [row.id for row in batch])
        for row in batch:
            yield cells(row, json.loads(documents.get(row.id, "{}")))
        if len(batch) < BATCH:
            return
        before = batch[-1].id


def csv_chunks(found: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """A CSV file (RFC 4180) in UTF-8 with the mark that spreadsheets know it by, line by line."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    writer.writerow([column.heading for column in COLUMNS])
    for line in found:
        writer.writerow([guarded(cell) for cell in line])
        if buffer.tell() > io.DEFAULT_BUFFER_SIZE:
            yield _taken(buffer)
    yield _taken(buffer)


def guarded(cell: Cell) -> Cell:
    """A text that a spreadsheet would calculate, behind an apostrophe; numbers stay numbers."""
    if isinstance(cell, str) and not FORMULA_SIGNS.isdisjoint((cell[:1], cell.lstrip()[:1])):
        return f"'{cell}"
    return cell


def xlsx_file(found: Iterable[Sequence[Cell]]) -> IO[bytes]:
    """An XLSX file on disk, gone when it is closed. Texts are written as texts: no formulas, no links."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 # whoever sends it closes it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(file, options) as workbook:
        sheet = workbook.add_worksheet("事故上报")
        _prepare(workbook, sheet)
        for number, line in enumerate(found, 1):
            for place, cell in enumerate(line):
                _write(sheet, number, place, cell)
    file.seek(0)
    return file


def _prepare(workbook: Workbook, sheet: Worksheet) -> None:
    heading = workbook.add_format({"bold": True, "bg_color": "#dce8f7", "border": 1})
    for place, column in enumerate(COLUMNS):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.heading, heading)
    sheet.freeze_panes(1, 1)


def _write(sheet: Worksheet, number: int, place: int, cell: Cell) -> None:
    if isinstance(cell, str):
        sheet.write_string(number, place, cell)
    elif cell is not None:
        sheet.write_number(number, place, cell)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
