"""Exports: the same reports as the list, read back by others; nothing calculates, nothing stays open."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from bench.reports import ENTERPRISES, fill
from clients.rp import clock
from clients.rp.entitlement import Reader
from clients.smdvs import export
from clients.smdvs.export import Format, guarded
from clients.smdvs.export_columns import COLUMNS
from clients.smdvs.filters import Filters
from clients.smdvs.search import find_page
from clients.smdvs.storage.exports import Export
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.system import System
from tests.clients.conftest import Browser, system_of
from tests.clients.provider import OTHER_ENTERPRISE, Person
from tests.queries import AssertQueries

ALL = Reader("regulator", None)
HOSTILE = (
    "=1+1",
    '=HYPERLINK("http://evil.example/","x")',
    "+1-1",
    "-2+3",
    "@SUM(A1)",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    " =1+1",
    "\u3000=1+1",
    'a","b',
    "a；b'c",
    "http://evil.example/",
    "mailto:x@evil.example",
    "internal:Sheet1!A1",
    "{=1+1}",
    "&lt;b&gt;",
    "_x000D_",
    "0012",
    "1e9",
)
HEADINGS = [column.heading for column in COLUMNS]


@pytest.fixture
def system(smdvs_backend: Flask) -> System:
    return system_of(smdvs_backend)


@pytest.fixture
def regulator(smdvs: Flask, browser: Browser) -> Browser:
    fill(system_of(smdvs), len(HOSTILE) * 4, whole=False, texts=HOSTILE)
    browser.sign_in(Person.natural_person(roles=["regulator"]))
    return browser


def csv_rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def xlsx_rows(body: bytes) -> list[dict[str, Any]]:
    sheet = load_workbook(io.BytesIO(body)).active
    assert sheet is not None
    assert all(
        cell.hyperlink is None and cell.data_type != "f" for line in sheet.iter_rows() for cell in line
    )
    values = sheet.iter_rows(values_only=True)
    assert list(next(values)) == HEADINGS
    return [dict(zip(HEADINGS, map(_spelled, line), strict=True)) for line in values]


def _spelled(value: Any) -> Any:
    """As a spreadsheet shows it: ``_x005F_`` stands for a low line (ECMA-376 §22.9.2.19)."""
    return unescape(value) if isinstance(value, str) else value


def stored(smdvs: Flask, **filters: Any) -> list[ReportRow]:
    page = find_page(system_of(smdvs), ALL, Filters.model_validate(filters), 1, 10_000)
    return list(page.rows)


def get(browser: Browser, query: str) -> bytes:
    answer = browser.get(f"/smdvs/reports/export?{query}", buffered=True)  # which closes it
    assert answer.status_code == 200, answer.text
    return bytes(answer.data)


def test_a_csv_file_is_what_spreadsheets_read_and_calculates_nothing(
    regulator: Browser, smdvs: Flask
) -> None:
    body = get(regulator, "format=csv")
    assert body.startswith(b"\xef\xbb\xbf")
    assert body.count(b"\n") == body.count(b"\r\n")
    rows = csv_rows(body)
    assert list(rows[0]) == HEADINGS
    assert [row["上报编号"] for row in rows] == [row.report_no for row in stored(smdvs)]
    assert {row["地市"].removeprefix("'") for row in rows} == set(HOSTILE)
    for row in rows:
        for cell in row.values():
            assert not set(cell[:1] + cell.lstrip()[:1]) & set("=+-@\t\r＝＋－＠"), cell


def test_an_xlsx_file_holds_the_texts_as_they_are_and_no_formula(regulator: Browser, smdvs: Flask) -> None:
    body = get(regulator, "format=xlsx")
    rows = xlsx_rows(body)
    assert [row["上报编号"] for row in rows] == [row.report_no for row in stored(smdvs)]
    assert {row["地市"] for row in rows} == {row["品牌"] for row in rows} == set(HOSTILE)
    sheet = zipfile.ZipFile(io.BytesIO(body)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b"<hyperlink" not in sheet


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_numbers_stay_numbers(regulator: Browser, smdvs: Flask, kind: str) -> None:
    rows = (
        csv_rows(get(regulator, "format=csv")) if kind == "csv" else xlsx_rows(get(regulator, "format=xlsx"))
    )
    for row, of in zip(rows, stored(smdvs), strict=True):
        numbers = [row[name] for name in ("死亡人数", "受伤人数", "车辆数", "版本")]
        expected = [of.deaths, of.injured, len(of.vins.split()), of.version]
        assert numbers == ([str(number) for number in expected] if kind == "csv" else expected)
        assert float(row["财产损失（元）"]) >= 1000


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("=1", "'=1"),
        ("\t=1", "'\t=1"),
        ("\r1", "'\r1"),
        ("-1", "'-1"),
        (-1, -1),
        (-1.5, -1.5),
        (None, None),
        ("", ""),
        ("1-1", "1-1"),
        ("示例", "示例"),
    ],
)
def test_a_text_that_would_be_calculated_is_guarded(cell: Any, kept: Any) -> None:
    assert guarded(cell) == kept


def test_a_file_has_the_filters_of_the_list_and_the_list_leads_to_it(
    regulator: Browser, smdvs: Flask
) -> None:
    page = regulator.get("/smdvs/reports?status=closed").text
    for kind in Format:
        assert f'href="/smdvs/reports/export?status=closed&amp;format={kind}"' in page
    numbers = [row.report_no for row in stored(smdvs, status=["closed"])]
    assert [row["上报编号"] for row in xlsx_rows(get(regulator, "status=closed"))] == numbers


def test_an_enterprise_exports_its_own_reports_only(regulator: Browser) -> None:
    regulator.sign_in(Person.handler(ENTERPRISES[0][0]))
    codes = {row["统一社会信用代码"] for row in csv_rows(get(regulator, f"format=csv&q={ENTERPRISES[1][0]}"))}
    assert codes == set()
    assert {row["统一社会信用代码"] for row in csv_rows(get(regulator, "format=csv"))} == {ENTERPRISES[0][0]}
    regulator.sign_in(Person.handler(OTHER_ENTERPRISE))
    assert csv_rows(get(regulator, "format=csv")) == []


def test_nobody_else_exports_anything(browser: Browser) -> None:
    assert browser.get("/smdvs/reports/export?format=csv").status_code == 303
    browser.sign_in(Person.natural_person())
    assert browser.get("/smdvs/reports/export?format=csv").status_code == 403


def test_there_is_nobody_in_a_file(regulator: Browser) -> None:
    for body in (get(regulator, "format=csv"), b"".join(parts(get(regulator, "format=xlsx")))):
        content = body.decode("utf-8", "replace")
        assert not re.search(r"王示例|李示例|(?<!\d)199\d{8}(?!\d)", content)


def parts(body: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        yield from (package.read(name) for name in package.namelist())


def test_a_wrong_filter_or_format_exports_nothing(regulator: Browser, smdvs: Flask) -> None:
    for query, status in (("format=xls", 400), ("format=csv&from=x", 422), ("format=csv&status=lost", 422)):
        answer = regulator.get(f"/smdvs/reports/export?{query}")
        assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert log(smdvs) == []


def test_too_many_reports_are_refused_and_not_cut(
    regulator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST", {Format.XLSX: 10, Format.CSV: 20})
    for kind, most in export.MOST.items():
        answer = regulator.get(f"/smdvs/reports/export?format={kind}")
        assert answer.status_code == 422
        assert f"{kind.upper()} 一次最多导出 {most} 份" in answer.text


def log(smdvs: Flask) -> list[Export]:
    with system_of(smdvs).database.reading() as session:
        return list(session.scalars(select(Export)))


def test_each_export_is_in_the_log(regulator: Browser, smdvs: Flask) -> None:
    get(regulator, "format=csv&status=closed&q=SMDVS")
    (line,) = log(smdvs)
    assert (line.sub, line.enterprise_credit_code, line.format) == ("natural-1", None, "csv")
    assert line.filters == "q=SMDVS&status=closed"
    assert line.reports == len(stored(smdvs, status=["closed"]))


def test_the_database_itself_keeps_the_log(system: System) -> None:
    export.record(system, ALL, Format.CSV, Filters(), 3, clock.now())
    for change in ("UPDATE exports SET reports = 0", "DELETE FROM exports"):
        with pytest.raises(DatabaseError, match="never changed"), system.database.transaction() as session:
            session.execute(text(change))


def test_the_file_is_named_for_its_day_and_kept_by_nobody(regulator: Browser) -> None:
    headers = regulator.get("/smdvs/reports/export?format=xlsx", buffered=True).headers
    assert headers["Content-Disposition"].startswith('attachment; filename="smdvs-reports-2')
    assert headers["Content-Disposition"].endswith('.xlsx"')
    assert headers["Cache-Control"] == "no-store"


def test_reports_are_read_in_batches_without_gap_or_repetition(
    system: System, monkeypatch: pytest.MonkeyPatch, assert_queries: AssertQueries
) -> None:
    fill(system, 100, whole=False)
    monkeypatch.setattr(export, "BATCH", 30)
    with assert_queries(8):  # two for each batch
        numbers = [line[0] for line in export.lines(system, ALL, Filters(), clock.now())]
    rows = find_page(system, ALL, Filters(), 1, 100).rows
    assert numbers == [row.report_no for row in rows]


def test_no_transaction_is_open_while_a_reader_takes_its_time(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(system, 100, whole=False)
    monkeypatch.setattr(export, "BATCH", 10)
    found = export.lines(system, ALL, Filters(), clock.now())
    next(found)
    assert system.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined] # a QueuePool
    found.close()  # type: ignore[attr-defined] # the reader has gone
    assert system.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_the_newest_content_is_exported(system: System) -> None:
    fill(system, 40)
    lines = list(export.lines(system, ALL, Filters(), clock.now()))
    assert all(line[HEADINGS.index("详细地址")] for line in lines)
