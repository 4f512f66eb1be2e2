"""What lists, filters and deadlines need of a report, taken out of its newest content."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clients.smdvs.deadlines import Deadlines, Standing, policy_at
from clients.smdvs.report import Report
from clients.smdvs.storage.reports import ReportRow
from clients.smdvs.vocabulary import DeadlineClass


def of(report: Report) -> dict[str, Any]:
    """The columns of ``reports`` that follow from what the report says."""
    place = report.place
    return {
        "accident_type": report.accident_type,
        "province": place.province,
        "city": place.city,
        "county": place.county,
        "latitude": None if place.latitude is None else float(place.latitude),
        "longitude": None if place.longitude is None else float(place.longitude),
        "site_type": report.site_type,
        "vehicle_state": report.vehicle_state,
        "vins": " ".join(vins(report)),
        "vehicle_classes": _codes(vehicle.vehicle_class for vehicle in report.vehicles),
        "energy_types": _codes(vehicle.energy_type for vehicle in report.vehicles),
        "battery_types": _codes(vehicle.battery.battery_type for vehicle in report.vehicles),
        "cause": report.preliminary_cause,
        "major_social_impact": report.major_social_impact,
        "deaths": report.deaths,
        "injured": report.injured_heavy + report.injured_light,
        "occurred_at": report.occurred_at,
        "learned_at": report.learned_at,
    }


def standing_columns(standing: Standing) -> dict[str, Any]:
    """The columns that say by which policy and until when the report is due, and what is marked late."""
    due = standing.deadlines
    return {
        "deadline_policy": due.policy.reference,
        "deadline_class": due.deadline_class,
        "due_at": due.initial_due_at,
        "initial_overdue": standing.initial_overdue,
        "detailed_due_at": due.detailed_due_at,
        "detailed_received_at": standing.detailed_received_at,
        "detailed_overdue": standing.detailed_overdue,
    }


def standing_of(row: ReportRow) -> Standing:
    """How a stored report stands to its deadlines."""
    policy = policy_at(row.deadline_policy, row.occurred_at)
    detailed = row.detailed_due_at or row.occurred_at + timedelta(hours=policy.detailed_hours)
    due = Deadlines(policy, DeadlineClass(row.deadline_class), row.due_at, detailed)
    overdue = bool(row.detailed_overdue)
    return Standing(due, row.received_at, row.initial_overdue, row.detailed_received_at, overdue)


def vins(report: Report) -> list[str]:
    """The vehicles, in the report's order."""
    return [vehicle.vin for vehicle in report.vehicles]


def _codes(codes: Any) -> str:
    """Each code once, joined by spaces."""
    return " ".join(dict.fromkeys(codes))
