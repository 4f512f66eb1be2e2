"""The categories that official statistics count by (domain: what the rules really say), made of our codes.

What has no place in an official category is counted beside them, so that the numbers add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clients.smdvs.labels import LABELS
from clients.smdvs.vocabulary import BatteryType, Cause, Status, VehicleClass, VehicleState


@dataclass(frozen=True)
class Category:
    """What is counted together: its name, and the codes of the filter that has it."""

    name: str
    codes: tuple[str, ...]


def _each(field: str) -> tuple[Category, ...]:
    return tuple(Category(word, (code,)) for code, word in LABELS[field].items())


CATEGORIES: Mapping[str, Sequence[Category]] = {
    "accident_type": _each("accident_type"),
    "vehicle_state": (
        Category("行驶", (VehicleState.DRIVING,)),
        Category("静置", (VehicleState.PARKED,)),
        Category("充电", (VehicleState.CHARGING,)),
        Category(
            "其他",
            (
                VehicleState.BATTERY_SWAP,
                VehicleState.MAINTENANCE,
                VehicleState.TRANSPORT,
                VehicleState.OTHER,
            ),
        ),
    ),
    # New-energy trucks are 专用车 in official figures.
    "vehicle_class": (
        Category("乘用车", (VehicleClass.PASSENGER,)),
        Category("客车", (VehicleClass.BUS,)),
        Category("专用车", (VehicleClass.TRUCK, VehicleClass.SPECIAL)),
    ),
    "battery_type": (
        Category("三元", (BatteryType.NCM,)),
        Category("磷酸铁锂", (BatteryType.LFP,)),
        Category("其他", (BatteryType.LMO, BatteryType.OTHER)),
    ),
    "cause": (
        Category("电池", (Cause.BATTERY,)),
        Category("碰撞", (Cause.COLLISION,)),
        Category("浸水", (Cause.WATER,)),
        Category("零部件故障", (Cause.ELECTRICAL,)),
        Category("使用问题", (Cause.HUMAN,)),
        Category("外部原因", (Cause.CHARGING_FACILITY, Cause.EXTERNAL_FIRE)),
        Category("待查", (Cause.UNDER_INVESTIGATION,)),
    ),
    "status": _each("status"),
}
# 作废 isn't counted unless somebody asks for it.
COUNTED = tuple(status for status in Status if status is not Status.VOIDED)
