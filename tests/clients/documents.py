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
