"""A report that is right, as JSON and as form fields, for tests to spoil."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clients.rp import clock
from clients.smdvs.openapi import example
from clients.smdvs.report import CHINA_TIME


def report_json(**changes: Any) -> dict[str, Any]:
    """The API's own example; ``changes`` replace members, None leaves one out."""
    document = {**example(clock.now()), **changes}
    return {name: value for name, value in document.items() if value is not None}


def vehicle(**changes: Any) -> dict[str, Any]:
    """The example's vehicle with changes."""
    return {**example(clock.now())["vehicles"][0], **changes}


def form_fields(**changes: str) -> dict[str, str]:
    """The fields that a person must fill in."""
    occurred_at = clock.now().astimezone(CHINA_TIME) - timedelta(hours=3)
    return {
        "reporter_phone": "19900000001",
        "accident_type": "fire",
        "occurred_at": f"{occurred_at:%Y-%m-%dT%H:%M}",
        "learned_at": f"{occurred_at + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "vehicle_state": "charging",
        "place-province": "110000",
        "place-city": "示例区",
        "place-address": "示例路 1 号充电站",
        "fire_locations": "battery_pack",
        "narrative": "车辆充电约 40 分钟后底部冒烟，随后起火，消防到场后扑灭。",
        "preliminary_cause": "under_investigation",
        "deaths": "0",
        "injured_heavy": "0",
        "injured_light": "0",
        "property_loss": "80000",
        "major_social_impact": "false",
        "vehicles-0-vin": "LTEST00A0R1000001",
        "vehicles-0-brand": "示例",
        "vehicles-0-model": "SL7000BEV",
        "vehicles-0-vehicle_class": "passenger",
        "vehicles-0-energy_type": "bev",
        "vehicles-0-odometer_km": "12345.6",
        "vehicles-0-battery-cell_maker": "样板动力电池有限公司",
        "vehicles-0-battery-pack_maker": "样板动力电池有限公司",
        "vehicles-0-battery-battery_type": "lfp",
        "action": "submit",
        **changes,
    }


def detailed_vehicle(**changes: Any) -> dict[str, Any]:
    """The example's vehicle as a detailed report tells of it, with changes."""
    data_at = clock.now() - timedelta(hours=3, minutes=5)
    known = {
        "production_date": "2025-03-01",
        "sale_date": "2025-04-01",
        "plate": "京AD12345",
        "vehicle_use": "private",
        "dealer": "示例汽车销售店",
        "owner_name": "王示例",
        "owner_phone": "19900000009",
        "soc_percent": 85.5,
        "max_cell_temperature_c": 61.5,
        "insulation_kohm": 500,
        "recent_alarms": ["电池温度过高报警"],
        "national_platform_connected": True,
        "enterprise_platform_connected": True,
        "last_data_at": data_at.astimezone(CHINA_TIME).isoformat(timespec="seconds"),
    }
    battery = {
        **vehicle()["battery"],
        "pack_model": "SP-100",
        "capacity_kwh": 60.5,
        "battery_code": "001PE0A0000001A000000001",
    }
    return {**vehicle(), **known, "battery": battery, **changes}


def detailed_json(**changes: Any) -> dict[str, Any]:
    """A detailed report that is right; ``changes`` replace members, None leaves one out."""
    now = clock.now().astimezone(CHINA_TIME)
    started, ended = now - timedelta(hours=4), now - timedelta(hours=3)
    known: dict[str, Any] = {
        "vehicles": [detailed_vehicle()],
        "narrative": "车辆在充电站充电约 40 分钟后底部冒烟，随后起火。现场人员立即断电、疏散并报警，"
        "消防救援到场后约 20 分钟扑灭，车辆前部和动力电池包烧损，现场已封存等待调查。",
        "charging": {
            "charging_operator": "示例充电运营商",
            "charging_mode": "dc",
            "power_kw": 60,
            "started_at": started.isoformat(timespec="seconds"),
            "ended_at": ended.isoformat(timespec="seconds"),
        },
        "police_attended": True,
        "fire_service_attended": True,
        "case_no": "示例字第 0001 号",
        "extinguished_at": (now - timedelta(hours=2)).isoformat(timespec="seconds"),
        "measures_taken": "车辆封存，已派技术人员到场配合调查。",
        "same_batch_check": "已对同批次 120 辆车的电池数据进行排查，未见异常。",
        "recall_intention": "under_assessment",
    }
    return report_json(**{**known, **changes})


def result_json(**changes: Any) -> dict[str, Any]:
    """The result of an investigation that is right."""
    document = {
        "root_cause": "battery",
        "root_cause_note": "拆解检测表明，电池包内第 7 模组一只电芯存在内短路，热失控后向相邻电芯蔓延；"
        "充电设施和整车高压系统未见异常，判定为电芯制造缺陷所致。",
        "responsibility": "supplier",
        "responsibility_note": "电芯供应商承担主要责任。",
        "corrective_action": "更换同批次电芯，升级电池管理系统的早期预警策略，三个月内完成。",
        "recall_intention": "planned",
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}
