"""The Chinese sentences that code chooses: what is wrong with a field, why the door stays shut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clients.rp import reasons
from clients.smdvs.documents import Fault
from clients.smdvs.labels import FIELDS
from clients.smdvs.report import MAX_VEHICLES

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
    "case_no_missing": "公安机关到场的，请填写出警或事故编号",
    "extinguished_at_missing": "起火事故请填写扑灭时间",
    "extinguished_before_occurred": "扑灭时间不能早于事故发生时间",
    "extinguished_in_future": "扑灭时间不能晚于现在",
    "charging_missing": "车辆处于充电状态，请填写充电情况",
    "charging_ended_before_started": "充电结束时间不能早于开始时间",
    "charging_started_after_accident": "充电开始时间不能晚于事故发生时间",
    "last_data_in_future": "最后一次上传数据时间不能晚于现在",
    "battery_data_missing": "请填写此项；确实无法取得的，请在“电池数据无法提供的原因”中说明",
    "registration_missing": "请填写此项；车辆尚未销售或上牌的，请勾选“尚未销售或上牌”",
    "last_data_missing": "已接入监测平台的，请填写最后一次上传数据时间",
    "fire_locations_missing": "请选择起火或冒烟部位，尚不清楚的选“不明”",
    "text_control_characters": "含有不可见的控制字符，请删除后重新填写",
    "date_out_of_range": "请填写 2000 至 2100 年之间的日期",
    "last_day_before_first": "结束日期不能早于开始日期",
    "text_one_line": "请填写在一行内",
    "attachment_photo_missing": "详报至少附一张照片（现场、车辆或车辆铭牌）",
    "attachment_report_missing": "详报须附调查报告",
    "attachment_form_unknown": "这份表单不完整，请刷新页面后重新上传",
    "attachment_missing": "请选择文件",
    "attachment_empty": "文件是空的，请重新选择",
    "attachment_too_large": "单个文件不能超过 20 MB，请压缩或拆分后重新上传",
    "attachment_too_many": "一份上报最多 30 个附件，请先移除不需要的",
    "attachment_kind_missing": "请选择附件类型",
    "attachment_type_unknown": "无法识别文件内容，请上传 JPG、PNG、PDF；数据导出还可上传 XLSX、CSV、ZIP",
    "attachment_type_not_allowed": "XLSX、CSV、ZIP 只能作为“数据导出”上传，其他类型请上传 JPG、PNG、PDF",
    "attachment_name_mismatch": "文件扩展名与内容不符，请核对文件",
    "attachment_unreadable": "文件无法打开，可能已损坏，请重新导出后上传",
    "attachment_encrypted": "文件设有密码，请去除密码后上传",
    "attachment_active": "文件含有脚本、宏或可执行的动作，请另存为普通文件后上传",
    "attachment_too_many_pixels": "图片尺寸过大（超过 8000 万像素），请缩小后上传",
    "attachment_too_many_pages": "PDF 超过 500 页或过于复杂，请拆分后上传",
    "attachment_archive_too_large": "压缩包内文件过多或解压后过大，请拆分后上传",
    "attachment_archive_paths": "压缩包内的文件路径不安全，请重新打包后上传",
    "attachment_not_text": "CSV 文件应为 UTF-8 或 GB18030 编码的文本",
    "attachment_gone": "有附件已移除、过期或已用于其他上报，请核对附件后重新提交",
    "attachment_no_space": "系统存储空间不足，文件没有保存，请联系系统技术支持；已填写的内容不受影响",
    "attachment_busy": "正在检查的文件较多，文件没有保存，请稍后重试",
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

# The kit's words, and our own where we can say more.
REASONS = {code: reason.chinese for code, reason in reasons.REASONS.items()} | {
    "scope_missing": "本次登录没有取得上报或查看的权限，请重新登录并同意授权",
    "enterprise_mismatch": "填写本页时的企业与当前登录的企业不一致，请切换企业后重新填报",
    "handler_scope_missing": "您的经办人授权不包含“新能源汽车事故上报”事项",
}
# Why an act on a report is not possible now (lifecycle.NotNow, submissions.KeyReused).
NOT_NOW = {
    "act_not_possible": "这份上报现在的状态不能这样办理，请查看当前状态和下一步",
    "reason_missing": "请填写原因，说明需要怎样处理",
    "final_missing": "企业还没有提交调查结果，不能结案",
    "attachments_unclaimed": "有附件已移除、过期或已用于其他上报，请核对附件后重新提交",
    "key_reused": "这份表单已经提交过一次，请查看当前状态",
}
NO_REASON = {
    "reason_missing": "请填写查看原因，例如“电话核实火情”",
    "reason_too_long": "原因最多 200 个字",
}
DONE = {
    "review": "已开始审核",
    "accept": "已受理，等待企业提交调查结果",
    "return": "已退回企业补正，原因已随本次上报告知企业",
    "investigate": "已转入深度调查",
    "close": "已结案",
    "void": "已作废",
}
SESSION_ENDED = REASONS["authorisation_ended"]
DRAFT_REFUSED = {
    "newer": "这份草稿已在另一个窗口修改过，本窗口的内容没有覆盖它。请按“保存草稿”另存一份",
    "gone": "这份草稿已提交或已删除，本窗口的内容没有保存。请按“保存草稿”另存一份",
    "not_yours": "内容没有保存，请按“保存草稿”重试",
    "full": "您已有 20 份草稿，请先在草稿箱删除不需要的，再保存这一份",
    "too_large": "内容过多，没有保存为草稿，请精简",
}
DRAFT_APART = {
    "newer": "这份草稿已在另一个窗口修改过，本窗口的内容已另存为一份新草稿，附件留在原来的草稿中。"
    "请核对后提交其中一份",
    "gone": "这份草稿已提交或已删除，本窗口的内容已另存为一份新草稿。请先确认是否重复上报",
    "not_yours": "本窗口的内容已另存为一份新草稿",
}
ANOTHER_ACCOUNT = "本页由另一个账号打开，不能用当前登录的账号提交"
FORM_REUSED = "这份表单已经提交过一次，随后又有改动。如确需再次上报，请核对后重新提交。"
REPORT_ABSENT = "没有这份上报，或它不属于您当前代表的企业"
BUSY = "系统繁忙，内容没有保存，请稍后重试"
UNAVAILABLE = "平台暂时无法核验授权，请稍后重试"

SIGN_IN_FAULTS = {
    "access_denied": "您取消了登录或没有同意授权，未登录本系统",
    "login_required": "需要重新登录",
    "interaction_required": "需要重新登录并选择企业",
}
SIGN_IN_FAULT = "登录没有完成，请重新登录"


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
    return location_label(fault.location)


def location_label(location: Sequence[str | int]) -> str:
    """The same for any place in a document."""
    names = [part for part in location if isinstance(part, str)]
    text = FIELDS.get(names[-1], names[-1] or "（无名）") if names else "内容"
    number = next((part for part in location if isinstance(part, int)), None)
    return text if number is None or "vehicles" not in names else f"第 {number + 1} 辆车 · {text}"


def changed_text(version: int) -> str:
    """Somebody else was faster."""
    return f"就在您阅读期间，这份上报有了变化（现为第 {version} 版），您的办理没有生效。请先看最新内容"


def reason_text(reason: str) -> str:
    """Why the door stays shut."""
    return REASONS[reason]


def _too_short(detail: Mapping[str, Any]) -> str:
    least = detail["min_length"]
    return "请填写此项" if least == 1 else f"至少填写 {least} 个字"
