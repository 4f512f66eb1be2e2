"""Every Chinese word that code chooses: labels of codes, faults of fields, reasons of refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.smdvs.documents import Fault
from clients.smdvs.report import MAX_VEHICLES

LABELS: dict[str, dict[str, str]] = {
    "accident_type": {
        "fire": "起火",
        "smoke": "冒烟",
        "explosion": "爆炸",
        "collision": "碰撞",
        "collision_fire": "碰撞后起火",
        "water": "涉水浸水",
        "loss_of_control": "失控或意外加速",
        "other": "其他",
    },
    "site_type": {
        "road": "道路",
        "highway": "高速公路",
        "parking_lot": "停车场",
        "underground_garage": "地下车库",
        "charging_station": "充电站",
        "residence": "住宅",
        "factory": "厂区",
        "other": "其他",
    },
    "vehicle_state": {
        "driving": "行驶",
        "parked": "静置停放",
        "charging": "充电",
        "battery_swap": "换电",
        "maintenance": "维修",
        "transport": "运输",
        "other": "其他",
    },
    "vehicle_class": {"passenger": "乘用车", "bus": "客车", "truck": "货车", "special": "专用车"},
    "energy_type": {
        "bev": "纯电动（BEV）",
        "phev": "插电式混合动力（含增程，PHEV）",
        "fcev": "燃料电池（FCEV）",
    },
    "vehicle_use": {
        "private": "私家",
        "ride_hailing": "网约",
        "taxi": "出租",
        "public_transport": "公交",
        "logistics": "物流",
        "rental": "租赁",
        "official": "公务",
        "other": "其他",
    },
    "battery_type": {"ncm": "三元", "lfp": "磷酸铁锂", "lmo": "锰酸锂", "other": "其他"},
    "fire_locations": {
        "battery_pack": "动力电池包",
        "front": "车辆前部",
        "cabin": "乘员舱",
        "rear": "车辆后部",
        "charging_port": "充电口",
        "wheels": "车轮及底盘",
        "unknown": "不明",
    },
    "preliminary_cause": {
        "battery": "电池",
        "electrical": "电气",
        "collision": "碰撞",
        "water": "浸水",
        "charging_facility": "充电设施",
        "human": "人为",
        "external_fire": "外部火源",
        "under_investigation": "待查",
    },
    "major_social_impact": {"true": "是", "false": "否"},
    "status": {"initial_submitted": "已快报"},
    "kind": {"initial": "快报"},
    "deadline_class": {"ordinary": "一般（24 小时）", "severe": "人员死亡或重大社会影响（12 小时）"},
    "account_type": {"legal_person": "法人", "handler": "经办人", "natural_person": "自然人"},
    "channel": {"browser": "网页填报", "api": "程序接口"},
    "province": {
        "110000": "北京市",
        "120000": "天津市",
        "130000": "河北省",
        "140000": "山西省",
        "150000": "内蒙古自治区",
        "210000": "辽宁省",
        "220000": "吉林省",
        "230000": "黑龙江省",
        "310000": "上海市",
        "320000": "江苏省",
        "330000": "浙江省",
        "340000": "安徽省",
        "350000": "福建省",
        "360000": "江西省",
        "370000": "山东省",
        "410000": "河南省",
        "420000": "湖北省",
        "430000": "湖南省",
        "440000": "广东省",
        "450000": "广西壮族自治区",
        "460000": "海南省",
        "500000": "重庆市",
        "510000": "四川省",
        "520000": "贵州省",
        "530000": "云南省",
        "540000": "西藏自治区",
        "610000": "陕西省",
        "620000": "甘肃省",
        "630000": "青海省",
        "640000": "宁夏回族自治区",
        "650000": "新疆维吾尔自治区",
        "710000": "台湾省",
        "810000": "香港特别行政区",
        "820000": "澳门特别行政区",
    },
}

# Names of fields, as people read them beside a fault and in the API's description.
FIELDS = {
    "enterprise_credit_code": "统一社会信用代码",
    "reporter_phone": "联系电话",
    "accident_type": "事故类型",
    "accident_type_note": "其他类型说明",
    "occurred_at": "事故发生时间",
    "learned_at": "企业获知时间",
    "place": "事故地点",
    "province": "省份",
    "city": "地市",
    "county": "区县",
    "address": "详细地址",
    "latitude": "纬度",
    "longitude": "经度",
    "site_type": "事故场所",
    "vehicle_state": "车辆状态",
    "vehicles": "事故车辆",
    "vin": "车辆识别代号（VIN）",
    "brand": "品牌",
    "model": "车辆型号（公告型号）",
    "vehicle_class": "车辆类别",
    "energy_type": "动力类型",
    "odometer_km": "行驶里程（公里）",
    "battery": "动力电池",
    "cell_maker": "电芯生产企业",
    "pack_maker": "电池包生产企业",
    "battery_type": "电池类型",
    "pack_model": "电池包型号",
    "capacity_kwh": "电池容量（kWh）",
    "battery_code": "电池编码",
    "production_date": "生产日期",
    "sale_date": "销售或注册日期",
    "plate": "车牌号",
    "vehicle_use": "车辆用途",
    "dealer": "经销商或服务店",
    "owner_name": "车主或使用人姓名",
    "owner_phone": "车主或使用人电话",
    "fire_locations": "起火或冒烟部位",
    "narrative": "事故经过简述",
    "deaths": "死亡人数",
    "injured_heavy": "重伤人数",
    "injured_light": "轻伤人数",
    "property_loss": "财产损失（元）",
    "major_social_impact": "重大社会影响",
    "major_social_impact_note": "社会影响说明",
    "preliminary_cause": "初步原因",
    "preliminary_cause_note": "原因说明",
    "late_reason": "迟报原因",
}

_FAULTS = {
    # ours
    "uscc_invalid": "统一社会信用代码不正确，请核对 18 位代码",
    "vin_form": "VIN 应为 17 位字母和数字，不含 I、O、Q，末四位为数字",
    "vin_check_digit": "VIN 校验位（第 9 位）不符，请对照车辆铭牌核对",
    "vin_twice": "同一辆车填写了两次，请删除重复的车辆",
    "mobile_invalid": "请填写 11 位手机号码",
    "plate_invalid": "车牌号不是新能源汽车号牌，请核对；尚未上牌可不填",
    "coordinates_incomplete": "经度和纬度须同时填写",
    "sale_before_production": "销售或注册日期不能早于生产日期",
    "vehicle_after_accident": "生产或销售日期不能晚于事故发生日期",
    "occurred_in_future": "事故发生时间不能晚于现在",
    "occurred_too_long_ago": "事故发生时间过早，请核对年份",
    "learned_in_future": "企业获知时间不能晚于现在",
    "learned_before_occurred": "企业获知时间不能早于事故发生时间",
    "accident_type_note_missing": "选择“其他”时请说明事故类型",
    "major_social_impact_note_missing": "请说明造成的社会影响",
    "late_reason_missing": "已超过上报时限，请填写迟报原因后提交",
    "text_control_characters": "含有不可见的控制字符，请删除后重新填写",
    "text_one_line": "请填写在一行内",
    # pydantic's
    "missing": "请填写此项",
    "extra_forbidden": "没有这个字段",
    "enum": "请从列表中选择",
    "string_type": "应为文字",
    "string_pattern_mismatch": "电池编码应为 24 位字母和数字",
    "string_unicode": "含有无法识别的字符",
    "int_type": "应为整数",
    "int_parsing": "请填写整数",
    "int_from_float": "请填写整数",
    "int_parsing_size": "数值过大",
    "decimal_type": "应为数字",
    "decimal_parsing": "请填写数字",
    "decimal_max_places": "小数最多 {decimal_places} 位",
    "finite_number": "请填写数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "请选择是或否",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "timezone_aware": "时间须带时区，例如 2026-11-23T09:30:00+08:00",
    "too_short": "至少填写一辆事故车辆",
    "too_long": f"一份上报最多 {MAX_VEHICLES} 辆车",
    "model_type": "应为一个对象",
    "tuple_type": "应为一个列表",
    "json_invalid": "内容含有无法识别的数值或字符",
}
_FAULT_FAMILIES = {
    "datetime": "请填写日期和时间，例如 2026-11-23 09:30",
    "date": "请填写日期，例如 2026-11-23",
}

BODY_FAULTS = {
    "not_utf8": "请求内容不是有效的 UTF-8 文本",
    "nul_byte": "请求内容含有 NUL 字符",
    "not_json": "请求内容不是有效的 JSON",
    "not_an_object": "请求内容应为一个 JSON 对象",
    "duplicate_member": "JSON 对象中有重复的成员",
    "duplicate_field": "表单中有重复的字段",
    "too_many_fields": "表单字段过多",
    "not_a_form": "提交的内容不是表单",
    "csrf": "页面已过期，内容仍在下方，请核对后重新提交",
}

REASONS = {
    "token_revoked": "登录已失效或授权已被撤销",
    "scope_missing": "本次登录没有取得上报或查看的权限，请重新登录并同意授权",
    "no_enterprise": "您当前以个人身份登录，没有可以代表的企业",
    "enterprise_invalid": "平台给出的企业代码不正确，请联系平台 12381",
    "enterprise_mismatch": "填写本页时的企业与当前登录的企业不一致，请切换企业后重新填报",
    "matter_missing": "您的经办人授权不包含“新能源汽车事故上报”事项",
}
SESSION_ENDED = "登录已失效或授权已被撤销"
UNAVAILABLE = "平台暂时无法核验授权，请稍后重试"

SIGN_IN_FAULTS = {
    "access_denied": "您取消了登录或没有同意授权，未登录本系统",
    "login_required": "需要重新登录",
    "interaction_required": "需要重新登录并选择企业",
}
SIGN_IN_FAULT = "登录没有完成，请重新登录"


def label(field: str, code: object) -> str:
    """The word for a code of that field; the code itself when it is unknown."""
    text = str(code).lower() if isinstance(code, bool) else str(code)
    return LABELS.get(field, {}).get(text, text)


def fault_text(fault: Fault) -> str:
    """What is wrong with a field and what to do."""
    if fault.code == "string_too_short":
        return _too_short(fault.detail)
    if fault.code == "string_too_long":
        return f"最多 {fault.detail['max_length']} 个字"
    family = fault.code.split("_")[0]
    template = _FAULTS.get(fault.code) or _FAULT_FAMILIES.get(family, "填写不正确，请核对")
    return template.format(**fault.detail)


def field_label(fault: Fault) -> str:
    """The field's name as people read it; with the vehicle's number where there may be several."""
    names = [part for part in fault.location if isinstance(part, str)]
    text = FIELDS.get(names[-1], names[-1]) if names else "内容"
    number = next((part for part in fault.location if isinstance(part, int)), None)
    return text if number is None or names[0] != "vehicles" else f"第 {number + 1} 辆车 · {text}"


def reason_text(reason: str) -> str:
    """Why the door stays shut."""
    return REASONS.get(reason, SESSION_ENDED)


def _too_short(detail: Mapping[str, Any]) -> str:
    least = detail["min_length"]
    return "请填写此项" if least == 1 else f"至少填写 {least} 个字"
