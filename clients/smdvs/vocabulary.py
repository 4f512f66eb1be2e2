"""The codes of the accident report (domain: fields of the report form).
Their Chinese words are in labels.py.
"""

from __future__ import annotations

from enum import StrEnum


class AccidentType(StrEnum):
    """事故类型."""

    FIRE = "fire"
    SMOKE = "smoke"
    EXPLOSION = "explosion"
    COLLISION = "collision"
    COLLISION_FIRE = "collision_fire"
    WATER = "water"
    LOSS_OF_CONTROL = "loss_of_control"
    OTHER = "other"


class SiteType(StrEnum):
    """事故场所."""

    ROAD = "road"
    HIGHWAY = "highway"
    PARKING_LOT = "parking_lot"
    UNDERGROUND_GARAGE = "underground_garage"
    CHARGING_STATION = "charging_station"
    RESIDENCE = "residence"
    FACTORY = "factory"
    OTHER = "other"


class VehicleState(StrEnum):
    """事故发生时的车辆状态."""

    DRIVING = "driving"
    PARKED = "parked"
    CHARGING = "charging"
    BATTERY_SWAP = "battery_swap"
    MAINTENANCE = "maintenance"
    TRANSPORT = "transport"
    OTHER = "other"


class VehicleClass(StrEnum):
    """车辆类别."""

    PASSENGER = "passenger"
    BUS = "bus"
    TRUCK = "truck"
    SPECIAL = "special"


class EnergyType(StrEnum):
    """动力类型."""

    BEV = "bev"
    PHEV = "phev"
    FCEV = "fcev"


class VehicleUse(StrEnum):
    """车辆用途."""

    PRIVATE = "private"
    RIDE_HAILING = "ride_hailing"
    TAXI = "taxi"
    PUBLIC_TRANSPORT = "public_transport"
    LOGISTICS = "logistics"
    RENTAL = "rental"
    OFFICIAL = "official"
    OTHER = "other"


class BatteryType(StrEnum):
    """动力电池类型."""

    NCM = "ncm"
    LFP = "lfp"
    LMO = "lmo"
    OTHER = "other"


class FireLocation(StrEnum):
    """起火或冒烟部位."""

    BATTERY_PACK = "battery_pack"
    FRONT = "front"
    CABIN = "cabin"
    REAR = "rear"
    CHARGING_PORT = "charging_port"
    WHEELS = "wheels"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """初步原因."""

    BATTERY = "battery"
    ELECTRICAL = "electrical"
    COLLISION = "collision"
    WATER = "water"
    CHARGING_FACILITY = "charging_facility"
    HUMAN = "human"
    EXTERNAL_FIRE = "external_fire"
    UNDER_INVESTIGATION = "under_investigation"


class ChargingMode(StrEnum):
    """充电方式."""

    AC = "ac"
    DC = "dc"


class RecallIntention(StrEnum):
    """召回意向."""

    NONE = "none"
    UNDER_ASSESSMENT = "under_assessment"
    PLANNED = "planned"


class RootCause(StrEnum):
    """查明的原因, by the categories of the official statistics."""

    BATTERY = "battery"
    COLLISION = "collision"
    WATER = "water"
    COMPONENT = "component"
    USE = "use"
    EXTERNAL = "external"
    UNDETERMINED = "undetermined"


class Responsibility(StrEnum):
    """责任方."""

    MAKER = "maker"
    SUPPLIER = "supplier"
    CHARGING_OPERATOR = "charging_operator"
    USER = "user"
    THIRD_PARTY = "third_party"
    NOBODY = "nobody"
    UNDETERMINED = "undetermined"


class Status(StrEnum):
    """上报状态."""

    INITIAL_SUBMITTED = "initial_submitted"
    SUPPLEMENTED = "supplemented"
    DETAILED_SUBMITTED = "detailed_submitted"
    UNDER_REVIEW = "under_review"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    INVESTIGATING = "investigating"
    CLOSED = "closed"
    VOIDED = "voided"


class DeadlineClass(StrEnum):
    """时限类别."""

    ORDINARY = "ordinary"
    SEVERE = "severe"


class Province(StrEnum):
    """省级行政区划代码, GB/T 2260."""

    BEIJING = "110000"
    TIANJIN = "120000"
    HEBEI = "130000"
    SHANXI = "140000"
    INNER_MONGOLIA = "150000"
    LIAONING = "210000"
    JILIN = "220000"
    HEILONGJIANG = "230000"
    SHANGHAI = "310000"
    JIANGSU = "320000"
    ZHEJIANG = "330000"
    ANHUI = "340000"
    FUJIAN = "350000"
    JIANGXI = "360000"
    SHANDONG = "370000"
    HENAN = "410000"
    HUBEI = "420000"
    HUNAN = "430000"
    GUANGDONG = "440000"
    GUANGXI = "450000"
    HAINAN = "460000"
    CHONGQING = "500000"
    SICHUAN = "510000"
    GUIZHOU = "520000"
    YUNNAN = "530000"
    TIBET = "540000"
    SHAANXI = "610000"
    GANSU = "620000"
    QINGHAI = "630000"
    NINGXIA = "640000"
    XINJIANG = "650000"
    TAIWAN = "710000"
    HONG_KONG = "810000"
    MACAU = "820000"
