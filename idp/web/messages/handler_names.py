"""Chinese names of the codes of handler authorisations."""

from __future__ import annotations

INVITATION_STATUSES = {
    "pending": "待确认",
    "accepted": "已接受",
    "declined": "已谢绝",
    "cancelled": "已撤回",
    "expired": "已过期",
}

# Why an authorisation is refused, revoked or suspended; the first two tables are choices of the enterprise.
REFUSE_REASONS = {
    "not_agreed": "企业未同意",
    "not_employed": "申请人不是本企业人员",
    "facts_wrong": "申请信息有误",
    "other": "其他（请说明）",
}
REVOKE_REASONS = {
    "no_longer_handling": "不再由其办理",
    "left_enterprise": "已离职或调岗",
    "account_at_risk": "账号存在安全风险",
    "granted_by_mistake": "授权有误",
    "other": "其他（请说明）",
}
HANDLER_REASONS = {
    **REFUSE_REASONS,
    **REVOKE_REASONS,
    "other": "其他",
    "enterprise_closed": "企业已停用",
    "representative_changed": "企业法定代表人变更，待企业重新确认",
    "registry_changed": "企业登记信息变更，待企业重新确认",
    "review_overdue": "企业逾期未复核",
    "account_deleted": "账号已删除",
    "identity_withdrawn": "本人已撤回身份信息授权",
}
# One step of an authorisation's history, and who took it.
HANDLER_STEPS = {
    "apply": "提交申请",
    "withdraw": "撤回申请",
    "approve": "同意授权",
    "refuse": "拒绝申请",
    "revoke": "撤销授权",
    "change": "变更事项或有效期",
    "expire": "授权到期",
    "renewal_apply": "申请续期",
    "renewal_withdraw": "撤回续期申请",
    "renewal_approve": "同意续期",
    "renewal_refuse": "拒绝续期",
    "suspend": "暂停授权",
    "confirm": "确认授权继续有效",
    "invitation_accept": "接受企业邀请",
    "escalate": "申请平台代审",
    "escalation_withdraw": "撤回代审申请",
    "escalation_approve": "平台代审通过",
    "escalation_reject": "平台代审驳回",
}
ESCALATION_GROUNDS = {
    "account_frozen": "企业法人账号被冻结",
    "account_deleted": "企业法人账号正在注销",
    "phone_lost": "企业法人账号绑定的手机号无法使用",
    "representative_unavailable": "法定代表人或账号管理人无法办理",
    "other": "其他（请说明）",
}
ESCALATION_STATUSES = {
    "pending": "待审核",
    "approved": "已通过",
    "rejected": "已驳回",
    "withdrawn": "已撤回",
}
HANDLER_SIDES = {
    "handler": "经办人",
    "enterprise": "企业法人账号",
    "platform": "平台审核人员",
    "system": "系统",
}
HANDLER_ROUTES = {"application": "本人申请", "invitation": "企业邀请", "last_resort": "平台代审"}
