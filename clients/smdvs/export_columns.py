"""The columns of an export: one row a report, so that casualties add up; what its vehicles say is joined.

There is nothing about people in it: no names, no phones, no plates, no narrative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clients.smdvs.labels import label
from clients.smdvs.report import CHINA_TIME
from clients.smdvs.storage.reports import ReportRow

Cell = str | int | float | None
Document = Mapping[str, Any]
JOINED_BY = "；"


@dataclass(frozen=True)
class Column:
    """A heading, how wide it is shown (characters), and what stands under it."""

    heading: str
    width: int
    value: Callable[[ReportRow, Document], Cell]


def _of_row(name: str) -> Callable[[ReportRow, Document], Cell]:
    return lambda row, _document: getattr(row, name)


def _word(name: str, field: str | None = None) -> Callable[[ReportRow, Document], Cell]:
    """The word of a code of the row."""
    return lambda row, _document: _label(field or name, getattr(row, name))


def _words(name: str, field: str) -> Callable[[ReportRow, Document], Cell]:
    """The words of codes joined by spaces."""
    return lambda row, _document: _joined(_label(field, code) for code in (getattr(row, name) or "").split())


def _moment(name: str) -> Callable[[ReportRow, Document], Cell]:
    return lambda row, _document: _local(getattr(row, name))


def _of_document(*path: str) -> Callable[[ReportRow, Document], Cell]:
    return lambda _row, document: _text(_at(document, path))


def _number(name: str) -> Callable[[ReportRow, Document], Cell]:
    return lambda _row, document: None if document.get(name) is None else float(document[name])


def _of_vehicles(*path: str) -> Callable[[ReportRow, Document], Cell]:
    """What the vehicles say, each thing once."""
    return lambda _row, document: _joined(_text(_at(car, path)) for car in document.get("vehicles", ()))


def _yes_no(name: str) -> Callable[[ReportRow, Document], Cell]:
    return lambda row, _document: "" if getattr(row, name) is None else "是" if getattr(row, name) else "否"


COLUMNS: Sequence[Column] = (
    Column("上报编号", 22, _of_row("report_no")),
    Column("状态", 10, _word("status")),
    Column("版本", 6, _of_row("version")),
    Column("企业名称", 28, _of_row("enterprise_name")),
    Column("统一社会信用代码", 22, _of_row("enterprise_credit_code")),
    Column("事故类型", 14, _word("accident_type")),
    Column("发生时间", 17, _moment("occurred_at")),
    Column("企业获知时间", 17, _moment("learned_at")),
    Column("省份", 14, _word("province")),
    Column("地市", 14, _of_row("city")),
    Column("区县", 12, _of_row("county")),
    Column("详细地址", 30, _of_document("place", "address")),
    Column("经度", 11, _of_row("longitude")),
    Column("纬度", 11, _of_row("latitude")),
    Column("事故场所", 12, _word("site_type")),
    Column("车辆状态", 12, _word("vehicle_state")),
    Column("车辆数", 8, lambda row, _document: len(row.vins.split())),
    Column("VIN", 22, lambda row, _document: _joined(row.vins.split())),
    Column("品牌", 12, _of_vehicles("brand")),
    Column("车辆型号", 16, _of_vehicles("model")),
    Column("车辆类别", 12, _words("vehicle_classes", "vehicle_class")),
    Column("动力类型", 18, _words("energy_types", "energy_type")),
    Column("电池类型", 12, _words("battery_types", "battery_type")),
    Column("电芯生产企业", 24, _of_vehicles("battery", "cell_maker")),
    Column("电池包生产企业", 24, _of_vehicles("battery", "pack_maker")),
    Column("初步原因", 12, _word("cause", "preliminary_cause")),
    Column("死亡人数", 10, _of_row("deaths")),
    Column("受伤人数", 10, _of_row("injured")),
    Column("重大社会影响", 14, _yes_no("major_social_impact")),
    Column("财产损失（元）", 14, _number("property_loss")),
    Column("快报接收时间", 17, _moment("received_at")),
    Column("快报截止时间", 17, _moment("due_at")),
    Column("快报迟报", 10, _yes_no("initial_overdue")),
    Column("详报接收时间", 17, _moment("detailed_received_at")),
    Column("详报截止时间", 17, _moment("detailed_due_at")),
    Column("详报迟报", 10, _yes_no("detailed_overdue")),
    Column("调查结果接收时间", 17, _moment("final_received_at")),
    Column("结案时间", 17, _moment("closed_at")),
    Column("最近更新时间", 17, _moment("updated_at")),
)


def cells(row: ReportRow, document: Document) -> list[Cell]:
    """One row of an export."""
    return [column.value(row, document) for column in COLUMNS]


def _label(field: str, code: str | None) -> str:
    return "" if code is None else label(field, code)


def _local(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(CHINA_TIME):%Y-%m-%d %H:%M}"


def _at(document: Document, path: Iterable[str]) -> Any:
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _joined(texts: Iterable[str]) -> str:
    return JOINED_BY.join(dict.fromkeys(text for text in texts if text))
