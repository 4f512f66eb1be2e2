"""Many synthetic reports, written fast: for the tests of lists, statistics and exports, and to try them out.

Run as a program, with the environment of smdvs and a number: puts so many reports into its database.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import Table, delete, func, insert, select, text

from clients.rp import clock, uscc
from clients.smdvs import chain, migrate, vin
from clients.smdvs.config import Settings
from clients.smdvs.deadlines import DEFAULT_POLICY, policy_of
from clients.smdvs.lifecycle import CONTENT, NEEDS_REASON, Act
from clients.smdvs.report import CHINA_TIME
from clients.smdvs.storage.database import Base
from clients.smdvs.storage.reports import ReportNumber, ReportRow, ReportVehicle, ReportVersion
from clients.smdvs.system import System, build
from clients.smdvs.versions import Author, Link, Made, make
from clients.smdvs.vocabulary import (
    AccidentType,
    BatteryType,
    Cause,
    DeadlineClass,
    EnergyType,
    Status,
    VehicleClass,
    VehicleState,
)

BATCH = 1000
DAYS = 730
DETAILED_AFTER = timedelta(hours=120)
BRANDS = ("示例", "样板", "演示", "测试", "虚构")
# Where accidents happen, how often, and the middle of the province.
PLACES = (
    ("440000", "广州市", 14, 23.1, 113.3),
    ("310000", "浦东新区", 9, 31.2, 121.5),
    ("330000", "杭州市", 9, 30.3, 120.2),
    ("320000", "南京市", 8, 32.1, 118.8),
    ("110000", "朝阳区", 7, 39.9, 116.4),
    ("370000", "济南市", 6, 36.7, 117.1),
    ("410000", "郑州市", 6, 34.8, 113.6),
    ("510000", "成都市", 5, 30.7, 104.1),
    ("430000", "长沙市", 4, 28.2, 112.9),
    ("420000", "武汉市", 4, 30.6, 114.3),
    ("610000", "西安市", 3, 34.3, 108.9),
    ("460000", "海口市", 2, 20.0, 110.2),
    ("230000", "哈尔滨市", 2, 45.8, 126.6),
    ("650000", "乌鲁木齐市", 1, 43.8, 87.6),
    ("540000", "拉萨市", 1, 29.7, 91.1),
)
# What had been done to a report that is in this state now, and how often one is met.
HISTORIES: dict[Status, tuple[int, tuple[Act, ...]]] = {
    Status.INITIAL_SUBMITTED: (10, (Act.INITIAL,)),
    Status.SUPPLEMENTED: (6, (Act.INITIAL, Act.SUPPLEMENT)),
    Status.DETAILED_SUBMITTED: (8, (Act.INITIAL, Act.DETAILED)),
    Status.UNDER_REVIEW: (6, (Act.INITIAL, Act.DETAILED, Act.REVIEW)),
    Status.ACCEPTED: (12, (Act.INITIAL, Act.DETAILED, Act.REVIEW, Act.ACCEPT)),
    Status.RETURNED: (3, (Act.INITIAL, Act.DETAILED, Act.REVIEW, Act.RETURN)),
    Status.INVESTIGATING: (3, (Act.INITIAL, Act.DETAILED, Act.REVIEW, Act.ACCEPT, Act.INVESTIGATE)),
    Status.CLOSED: (50, (Act.INITIAL, Act.DETAILED, Act.REVIEW, Act.ACCEPT, Act.FINAL, Act.CLOSE)),
    Status.VOIDED: (2, (Act.INITIAL, Act.VOID)),
}
BY_THE_REGULATOR = frozenset({Act.REVIEW, Act.ACCEPT, Act.RETURN, Act.INVESTIGATE, Act.CLOSE})
RESULT = {
    "root_cause": "battery",
    "root_cause_note": "示例" * 30,
    "responsibility": "undetermined",
    "corrective_action": "示例整改措施，三个月内完成。",
    "recall_intention": "none",
}
# What a check character may be (GB 32100).
USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
REGULATOR = Author("bench-regulator", "smdvs", "regulator", "", None, "browser", "监示例")
_WEIGHTS: dict[type[StrEnum], Sequence[int]] = {
    AccidentType: (40, 18, 3, 16, 8, 6, 6, 3),
    VehicleState: (38, 24, 27, 3, 4, 2, 2),
    VehicleClass: (84, 5, 8, 3),
    EnergyType: (78, 21, 1),
    BatteryType: (45, 49, 2, 4),
    Cause: (28, 9, 18, 6, 7, 4, 5, 23),
}


@dataclass(frozen=True)
class Filled:
    """One report to write: its row, its vehicles, its acts."""

    row: dict[str, Any]
    vins: tuple[str, ...]
    versions: Sequence[ReportVersion]


@dataclass(frozen=True)
class Accident:
    """What is drawn for one report before it is written down."""

    report_no: str
    enterprise: tuple[str, str]
    occurred_at: datetime
    received_at: datetime
    status: Status
    vins: tuple[str, ...]
    draw: random.Random
    now: datetime


def credit_code(number: int) -> str:
    """The USCC of a synthetic enterprise in region 99."""
    body = f"91990101MADEM{number:04}"
    return next(body + last for last in USCC_CHARACTERS if uscc.is_canonical(body + last))


def vin_number(number: int) -> str:
    """A synthetic VIN with its check digit, another for each number below a thousand million."""
    body = f"LTEST{number // 10**6:03}0R1{number % 10**6:06}"
    return body[:8] + vin.check_digit(body) + body[9:]


ENTERPRISES = tuple((credit_code(number), f"示例{number:02}新能源汽车有限公司") for number in range(11, 41))


def fill(
    system: System,
    count: int,
    *,
    now: datetime | None = None,
    seed: int = 1,
    whole: bool = True,
    texts: Sequence[str] = (),
) -> None:
    """Write that many reports of the last two years, the newest last.

    ``whole``: with every act of their history; otherwise the first alone, which is a fourth of the work and
    enough where nobody opens a report. ``texts`` are said by the reports in turn, as brand and city.
    """
    numbers = _numbers(system)
    batch: list[Filled] = []
    for index, accident in enumerate(_accidents(count, now or clock.now(), random.Random(seed), numbers)):  # noqa: S311 # no secret
        batch.append(_filled(system, accident, texts[index % len(texts)] if texts else None, whole=whole))
        if len(batch) == BATCH:
            _write(system, batch)
            batch = []
    _write(system, batch)
    _keep_numbers(system, numbers)


def _numbers(system: System) -> dict[str, int]:
    with system.database.reading() as session:
        return {row.day: row.last for row in session.scalars(select(ReportNumber))}


def _keep_numbers(system: System, numbers: dict[str, int]) -> None:
    with system.database.transaction() as session:
        session.execute(delete(ReportNumber))
        days = [{"day": day, "last": last} for day, last in numbers.items()]
        session.execute(insert(_table(ReportNumber)), days)
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("SELECT setval('reports_id_seq', max(id)) FROM reports"))


def _write(system: System, batch: Sequence[Filled]) -> None:
    """A batch in one transaction, past the unit of work: it would take three times as long."""
    if not batch:
        return
    with system.database.transaction() as session:
        first = (session.execute(select(func.max(ReportRow.id))).scalar_one() or 0) + 1
        numbered = list(enumerate(batch, first))
        session.execute(insert(_table(ReportRow)), [{"id": id_, **report.row} for id_, report in numbered])
        vehicles = [{"report_id": id_, "vin": number} for id_, report in numbered for number in report.vins]
        session.execute(insert(_table(ReportVehicle)), vehicles)
        columns = [column.name for column in _table(ReportVersion).columns]
        versions = [
            {name: getattr(version, name) for name in columns} | {"report_id": id_}
            for id_, report in numbered
            for version in report.versions
        ]
        session.execute(insert(_table(ReportVersion)), versions)


def _table(declared: type[Base]) -> Table:
    return cast("Table", declared.__table__)


def _accidents(count: int, now: datetime, draw: random.Random, numbers: dict[str, int]) -> Iterator[Accident]:
    moments = sorted(now - timedelta(seconds=draw.randrange(1800, DAYS * 86400)) for _ in range(count))
    vehicle = 0
    for received_at in moments:
        day = f"{received_at.astimezone(CHINA_TIME):%Y%m%d}"
        numbers[day] = numbers.get(day, 0) + 1
        vehicles = draw.choices((1, 2, 3), (93, 5, 2))[0]
        yield Accident(
            report_no=f"SMDVS-{day}-{numbers[day]:04}",
            enterprise=ENTERPRISES[min(int(draw.expovariate(0.15)), len(ENTERPRISES) - 1)],
            occurred_at=received_at - timedelta(minutes=int(draw.lognormvariate(6.0, 0.9)) + 5),
            received_at=received_at,
            status=_status(now - received_at, draw),
            vins=tuple(vin_number(vehicle + index) for index in range(vehicles)),
            draw=draw,
            now=now,
        )
        vehicle += vehicles


def _status(age: timedelta, draw: random.Random) -> Status:
    """A young report has not been read yet, an old one is seldom waiting."""
    young = (Status.INITIAL_SUBMITTED, Status.SUPPLEMENTED, Status.DETAILED_SUBMITTED)
    if age < timedelta(days=8):
        return draw.choices(young, (6, 3, 2))[0]
    return draw.choices(list(HISTORIES), [weight for weight, _ in HISTORIES.values()])[0]


def _filled(system: System, accident: Accident, said: str | None, *, whole: bool) -> Filled:
    document = _document(accident, said)
    row = _row(accident, document)
    acts = HISTORIES[accident.status][1] if whole else (Act.INITIAL,)
    versions = _versions(system, accident, document, acts)
    newest = versions[-1]
    row |= {"version": newest.version, "head_digest": newest.digest, "updated_at": newest.received_at}
    return Filled(row, accident.vins, versions)


def _document(accident: Accident, said: str | None) -> dict[str, Any]:
    draw = accident.draw
    province, city, _, latitude, longitude = draw.choices(PLACES, [place[2] for place in PLACES])[0]
    located = draw.random() < 0.4
    casualties = draw.random() < 0.12
    occurred_at = accident.occurred_at.astimezone(CHINA_TIME)
    return {
        "enterprise_credit_code": accident.enterprise[0],
        "reporter_phone": f"199{draw.randrange(10**8):08}",
        "accident_type": _drawn(draw, AccidentType),
        "accident_type_note": None,
        "occurred_at": occurred_at.isoformat(timespec="seconds"),
        "learned_at": (occurred_at + timedelta(minutes=5)).isoformat(timespec="seconds"),
        "place": {
            "province": province,
            "city": said or city,
            "county": None,
            "address": f"示例路 {draw.randrange(1, 900)} 号",
            "latitude": f"{latitude + draw.gauss(0, 0.25):.5f}" if located else None,
            "longitude": f"{longitude + draw.gauss(0, 0.25):.5f}" if located else None,
        },
        "site_type": None,
        "vehicle_state": _drawn(draw, VehicleState),
        "vehicles": [_vehicle(draw, number, said) for number in accident.vins],
        "fire_locations": ["battery_pack"],
        "narrative": "车辆底部冒烟，随后起火，消防到场后扑灭，现场已封存。",
        "deaths": draw.choices((1, 2, 3), (80, 15, 5))[0] if casualties and draw.random() < 0.25 else 0,
        "injured_heavy": draw.randrange(3) if casualties else 0,
        "injured_light": draw.randrange(1, 4) if casualties else 0,
        "property_loss": str(draw.randrange(1, 400) * 1000),
        "major_social_impact": draw.random() < 0.01,
        "major_social_impact_note": "现场视频在网络上传播",
        "preliminary_cause": _drawn(draw, Cause),
        "preliminary_cause_note": None,
        "late_reason": None,
    }


def _vehicle(draw: random.Random, number: str, said: str | None) -> dict[str, Any]:
    brand = draw.randrange(len(BRANDS))
    return {
        "vin": number,
        "brand": said or BRANDS[brand],
        "model": f"SL{7000 + brand}BEV",
        "vehicle_class": _drawn(draw, VehicleClass),
        "energy_type": _drawn(draw, EnergyType),
        "odometer_km": str(draw.randrange(200_000)),
        "battery": {
            "cell_maker": f"样板动力电池{brand + 1}有限公司",
            "pack_maker": f"样板动力电池{brand + 1}有限公司",
            "battery_type": _drawn(draw, BatteryType),
            "pack_model": None,
            "capacity_kwh": "60",
            "battery_code": None,
        },
        **dict.fromkeys(("production_date", "sale_date", "plate", "vehicle_use", "dealer")),
        "owner_name": "王示例",
        "owner_phone": "19900000009",
    }


def _row(accident: Accident, document: dict[str, Any]) -> dict[str, Any]:
    place, cars = document["place"], document["vehicles"]
    severe = document["deaths"] > 0 or document["major_social_impact"]
    due_at = accident.occurred_at + timedelta(hours=12 if severe else 24)
    return {
        "report_no": accident.report_no,
        "enterprise_credit_code": accident.enterprise[0],
        "enterprise_name": accident.enterprise[1],
        "status": accident.status,
        **{name: place[name] for name in ("province", "city", "county")},
        **{name: place[name] and float(place[name]) for name in ("latitude", "longitude")},
        **{name: document[name] for name in ("accident_type", "site_type", "vehicle_state", "deaths")},
        "vins": " ".join(accident.vins),
        "vehicle_classes": _codes(car["vehicle_class"] for car in cars),
        "energy_types": _codes(car["energy_type"] for car in cars),
        "battery_types": _codes(car["battery"]["battery_type"] for car in cars),
        "cause": document["preliminary_cause"],
        "major_social_impact": document["major_social_impact"],
        "injured": document["injured_heavy"] + document["injured_light"],
        "occurred_at": accident.occurred_at,
        "learned_at": accident.occurred_at + timedelta(minutes=5),
        "received_at": accident.received_at,
        "deadline_policy": policy_of(DEFAULT_POLICY).reference,
        "deadline_class": DeadlineClass.SEVERE if severe else DeadlineClass.ORDINARY,
        "due_at": due_at,
        "initial_overdue": accident.received_at > due_at,
        **_later(accident),
    }


def _later(accident: Accident) -> dict[str, Any]:
    """The columns of what came after the first report."""
    acts, due_at = HISTORIES[accident.status][1], accident.occurred_at + DETAILED_AFTER
    came_at = accident.received_at + timedelta(hours=accident.draw.randrange(12, 130))
    came_at = min(came_at, accident.now)
    detailed = Act.DETAILED in acts
    return {
        "detailed_due_at": due_at,
        "detailed_received_at": came_at if detailed else None,
        "detailed_overdue": came_at > due_at if detailed else None,
        "final_received_at": came_at + timedelta(hours=30) if Act.FINAL in acts else None,
        "closed_at": came_at + timedelta(hours=40) if Act.CLOSE in acts else None,
    }


def _versions(
    system: System, accident: Accident, document: dict[str, Any], acts: Sequence[Act]
) -> list[ReportVersion]:
    code, _name = accident.enterprise
    handler = Author(f"bench-{code}", "smdvs", "handler", code, "bench-authorization", "browser", "李示例")
    versions: list[ReportVersion] = []
    step = min(timedelta(hours=10), (accident.now - accident.received_at) / len(acts))
    for number, act in enumerate(acts, 1):
        previous = versions[-1].digest if versions else chain.FIRST
        author = REGULATOR if act in BY_THE_REGULATOR else handler
        said = document if act in CONTENT else RESULT if act is Act.FINAL else {}
        reason = "示例理由" if act in NEEDS_REASON else None
        made = Made(act, said, reason, author, accident.received_at + step * (number - 1))
        versions.append(make(system, Link(accident.report_no, number, previous), made))
    return versions


def _drawn(draw: random.Random, codes: type[StrEnum]) -> str:
    return str(draw.choices(tuple(codes), _WEIGHTS[codes])[0])


def _codes(codes: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(codes))


def main() -> int:
    """Fill the database of the environment."""
    system = build(Settings.from_env(os.environ))
    migrate.upgrade(system.database)
    fill(system, int(sys.argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
