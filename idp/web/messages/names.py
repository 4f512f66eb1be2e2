"""Chinese names of the codes that pages show."""

from __future__ import annotations

from collections.abc import Mapping

from idp.web.messages.handler_names import (
    ESCALATION_GROUNDS,
    ESCALATION_STATUSES,
    HANDLER_REASONS,
    HANDLER_ROUTES,
    HANDLER_SIDES,
    HANDLER_STEPS,
    INVITATION_STATUSES,
    REFUSE_REASONS,
    REVOKE_REASONS,
)

MATTERS = {"nev-accident-report": "新能源汽车事故上报", "vehicle-product-access": "道路机动车辆产品准入"}

SUBJECT_TYPES = {"natural_person": "自然人", "legal_person": "法人"}

ACCOUNT_TYPES = {"natural_person": "自然人（本人）", "legal_person": "法人", "handler": "经办人"}

DOCUMENT_TYPES = {
    "id_card": "居民身份证",
    "passport": "护照",
    "hk_macau_permit": "港澳居民来往内地通行证",
    "taiwan_permit": "台湾居民来往大陆通行证",
    "foreigner_residence": "外国人永久居留身份证",
    "hmt_residence": "港澳台居民居住证",
}

ORGANIZATION_TYPES = {
    "limited_company": "有限责任公司",
    "joint_stock_company": "股份有限公司",
    "state_owned": "国有独资",
    "foreign_invested": "外商投资",
    "hmt_invested": "港澳台投资",
    "partnership": "合伙企业",
    "sole_proprietorship": "个人独资",
    "branch": "分支机构",
    "individual_business": "个体工商户",
    "government_agency": "机关",
    "public_institution": "事业单位",
    "social_group": "社会团体",
    "private_non_enterprise": "民办非企业",
    "foundation": "基金会",
    "other": "其他",
}

LEGAL_PERSON_TYPES = {
    "enterprise": "企业法人",
    "government_agency": "机关法人",
    "public_institution": "事业单位法人",
    "social_group": "社会团体法人",
    "social_service_organization": "社会服务机构（民办非企业）法人",
    "foundation": "基金会法人",
    "farmers_cooperative": "农民专业合作社法人",
    "other": "其他",
}

VERIFICATION_STATUSES = {
    "unverified": "未认证",
    "pending": "待审核",
    "verified": "已实名认证",
    "approved": "已实名认证",
    "rejected": "已驳回",
}

HANDLER_STATUSES = {
    "pending": "待审核",
    "approved": "已通过",
    "refused": "已拒绝",
    "revoked": "已撤销",
    "expired": "已过期",
    "withdrawn": "已撤回",
    "suspended": "已暂停",
}

PHONE_CHANGE_STATUSES = {
    "pending": "待审核",
    "approved": "已通过",
    "rejected": "已驳回",
    "withdrawn": "已撤销",
}

ROLES = {"regulator": "监管人员"}

SMS_PURPOSES = {
    "register": "用户注册",
    "login": "用户登录",
    "step_up": "身份确认",
    "device_new": "新设备登录",
    "totp_added": "动态口令启用",
    "totp_removed": "动态口令停用",
    "passkey_added": "通行密钥添加",
    "passkey_removed": "通行密钥删除",
    "recovery_codes_renewed": "恢复码生成",
    "recovery_code_used": "恢复码使用",
    "factors_reset": "登录方式重置",
    "password_changed": "密码修改",
    "password_reset": "密码重设",
    "reset_password": "重设密码",
    "find_account": "账号找回",
    "account_found": "登录名",
    "bind_phone": "绑定手机号",
    "phone_changed": "手机号更换",
    "phone_bound": "手机号绑定",
    "phone_change_applied": "更换手机号申请",
    "phone_change_received": "更换手机号申请",
    "phone_change_rejected": "更换手机号未通过",
    "password_temporary": "临时密码",
    "revive": "恢复使用",
    "account_frozen": "账号冻结",
    "account_unfrozen": "账号解冻",
    "account_woken": "账号恢复",
    "deletion_requested": "申请删除账号",
    "deletion_cancelled": "撤销删除账号",
    "deletion_done": "账号已删除",
    "dormancy_near": "休眠提醒",
    "identity_withdrawn": "撤回身份信息授权",
    "handler_gone": "经办人注销",
    "real_name_approved": "实名认证通过",
    "real_name_rejected": "实名认证驳回",
    "handler_applied": "经办人申请",
    "handler_withdrawn": "申请撤回",
    "handler_approved": "经办人通过",
    "handler_refused": "经办人拒绝",
    "handler_revoked": "授权撤销",
    "handler_changed": "授权变更",
    "handler_escalated": "平台代审申请",
    "handler_escalation_rejected": "平台代审驳回",
    "handler_last_resort": "平台代审通过",
    "handler_invited": "经办人邀请",
    "handler_invitation_accepted": "邀请接受",
    "handler_invitation_declined": "邀请谢绝",
    "handler_suspended": "授权暂停",
    "handler_resumed": "授权恢复",
    "enterprise_closed": "企业停用",
    "handlers_to_confirm": "授权待确认",
    "handlers_review_due": "经办人复核提醒",
    "handlers_review_last": "经办人复核提醒",
    "handler_review_last": "经办人复核提醒",
    "handler_renewal_applied": "续期申请",
    "handler_renewal_approved": "续期通过",
    "handler_renewal_refused": "续期拒绝",
    "handler_ends_soon": "授权到期提醒",
    "handlers_end_soon": "授权到期提醒",
}

# What leaves through the outbox; a kind that isn't here is shown by its code.
MESSAGE_KINDS = {"sms": "短信", "backchannel_logout": "退出通知", "signal": "安全事件通知"}

SCAN_PURPOSES = {"document_scan": "证件扫描件", "licence_scan": "营业执照扫描件"}

# A submission's fields as its reviewer reads them, and those whose values are codes.
FIELDS = {
    "real_name": "真实姓名",
    "document_type": "证件类型",
    "document_number": "证件号",
    "valid_from": "证件有效起始日期",
    "valid_until": "证件有效结束日期",
    "organization_type": "企业或机构类型",
    "enterprise_credit_code": "统一社会信用代码",
    "enterprise_name": "企业或机构名称",
    "legal_person_type": "法人类型",
    "representative_name": "法定代表人姓名",
    "representative_document_type": "法定代表人证件类型",
    "representative_document_number": "法定代表人证件号",
    "address": "联系地址",
    "explanation": "情况说明",
}
FIELD_TABLES = {
    "document_type": "document_type",
    "representative_document_type": "document_type",
    "organization_type": "organization_type",
    "legal_person_type": "legal_person_type",
}
REVIEW_WARNINGS = {
    "organization_code_irregular": "代码中的组织机构代码校验位不符合规则，请对照营业执照核对",
    "legal_person_type_unlikely": "法人类型与统一社会信用代码的类别不一致，请核对",
}

# How long to wait, as part of a sentence.
WAITS = {"hours": "{number} 小时", "minutes": "{number} 分钟", "seconds": "{number} 秒"}
SOME_TIME = "一段时间"

FACTORS = {
    "pwd": "密码",
    "sms": "短信验证码",
    "otp": "动态口令",
    "recovery_code": "恢复码",
    "hwk": "通行密钥",
    "swk": "通行密钥",
    "mfa": "双重验证",
}

# What a User-Agent header gives away, the more special mark first.
BROWSERS = {
    "MicroMessenger": "微信",
    "QQBrowser": "QQ 浏览器",
    "Edg": "Edge",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}

AGREEMENTS = {
    "terms": "用户服务协议",
    "privacy": "隐私政策",
    "identity": "处理身份证件信息的单独同意",
}

ACCOUNT_STATUSES = {
    "active": "正常",
    "frozen": "已冻结",
    "dormant": "已休眠",
    "leaving": "待删除",
    "deleted": "已删除",
}

# As much of a place as an address tells by itself.
NETWORKS = {"internal": "内网", "external": "外网"}

AUTHENTICATION_METHODS = {
    "private_key_jwt": "私钥签名（private_key_jwt，推荐）",
    "client_secret_basic": "密钥（client_secret_basic）",
    "client_secret_post": "密钥（client_secret_post）",
    "tls_client_auth": "客户端证书（tls_client_auth）",
    "self_signed_tls_client_auth": "自签名客户端证书（self_signed_tls_client_auth）",
    "none": "无（公开客户端）",
}

GRANT_TYPES = {
    "authorization_code": "授权码（用户登录）",
    "refresh_token": "刷新令牌",
    "client_credentials": "客户端凭据（系统对系统）",
    "urn:ietf:params:oauth:grant-type:device_code": "设备登录",
    "urn:ietf:params:oauth:grant-type:token-exchange": "令牌交换（后台转交）",
}

PROFILES = {
    "": "标准",
    "fapi2": "FAPI 2.0（推送请求、令牌绑定密钥）",
    "fapi2-message-signing": "FAPI 2.0 并签名请求与应答",
}

APPLICATION_TYPES = {"web": "网站（服务端保存密钥）", "native": "客户端软件"}

ACR_VALUES = {
    "": "不作要求",
    "urn:gsp:acr:2fa": "密码和短信验证码",
    "urn:gsp:acr:2fa-crypto": "通行密钥，或密码和动态口令",
}

KEY_USES = {
    "sig": "令牌签名",
    "enc": "接收加密信息",
    "field": "数据加密",
    "index": "检索索引",
    "mac": "完整性校验",
}
KEY_STATES = {"waiting": "待启用", "signing": "正在签名", "verifying": "仅供验签", "expired": "已停用"}

AUDIT_AREAS = {
    "account": "账号",
    "phone_change": "更换手机号",
    "login": "登录",
    "upstream": "上级平台",
    "device": "常用设备",
    "factor": "登录方式",
    "sms": "短信",
    "real_name": "实名认证",
    "upload": "扫描件",
    "handler": "经办人",
    "enterprise": "企业",
    "consent": "授权同意",
    "agreement": "平台协议",
    "authorization": "登录授权",
    "token": "令牌",
    "client": "应用",
    "key": "密钥",
    "delivery": "通知投递",
    "signal_stream": "安全事件流",
    "role": "角色",
}

AUDIT_EVENTS = {
    "account:register": "用户注册",
    "sms:send": "发送短信验证码",
    "login:success": "登录成功",
    "login:failure": "登录失败",
    "login:locked": "登录锁定",
    "factor:add": "添加登录方式",
    "factor:remove": "移除登录方式",
    "factor:reset": "重置登录方式",
    "factor:recovery_codes": "生成恢复码",
    "factor:recovery_code_use": "使用恢复码",
    "login:step_up": "再次确认身份",
    "login:logout": "退出登录",
    "device:new": "在新设备登录",
    "device:remove": "移除常用设备",
    "upstream:login": "经上级平台登录",
    "upstream:link": "关联上级平台账号",
    "account:password_change": "修改密码",
    "account:password_reset": "重设密码",
    "account:find": "找回登录名",
    "account:phone_change": "更换手机号",
    "phone_change:apply": "申请更换手机号",
    "phone_change:withdraw": "撤销更换手机号申请",
    "phone_change:approve": "通过更换手机号",
    "phone_change:reject": "驳回更换手机号",
    "account:password_temporary": "发放临时密码",
    "account:freeze": "冻结账号",
    "account:unfreeze": "解冻账号",
    "account:deletion_request": "申请删除账号",
    "account:deletion_cancel": "撤销删除账号",
    "account:delete": "删除账号（匿名化）",
    "account:dormancy_reminder": "提醒即将休眠",
    "account:sleep": "账号转入休眠",
    "account:wake": "账号恢复使用",
    "account:export": "导出个人信息",
    "real_name:submit": "提交实名认证",
    "real_name:approve": "通过实名认证",
    "real_name:reject": "驳回实名认证",
    "upload:view": "查看扫描件",
    "upload:delete": "删除扫描件",
    "handler:apply": "申请经办人",
    "handler:withdraw": "撤回经办人申请",
    "handler:approve": "同意经办人",
    "handler:refuse": "拒绝经办人",
    "handler:revoke": "撤销经办人",
    "handler:change": "变更经办人授权",
    "handler:expire": "经办人授权到期",
    "handler:renewal_apply": "申请经办人续期",
    "handler:renewal_withdraw": "撤回续期申请",
    "handler:renewal_approve": "同意经办人续期",
    "handler:renewal_refuse": "拒绝经办人续期",
    "handler:suspend": "暂停经办人授权",
    "handler:confirm": "确认经办人授权",
    "handler:invite": "邀请经办人",
    "handler:invitation_accept": "接受经办人邀请",
    "handler:invitation_decline": "谢绝经办人邀请",
    "handler:invitation_cancel": "撤回经办人邀请",
    "handler:escalate": "申请平台代审",
    "handler:escalation_withdraw": "撤回代审申请",
    "handler:escalation_approve": "平台代审通过",
    "handler:escalation_reject": "平台代审驳回",
    "enterprise:close": "企业停用",
    "enterprise:reopen": "企业恢复",
    "enterprise:representative": "法定代表人变更",
    "enterprise:switch": "切换企业",
    "consent:grant": "同意授权",
    "consent:withdraw": "撤回授权",
    "agreement:accept": "同意平台协议",
    "agreement:withdraw": "撤回单独同意",
    "authorization:issue": "签发授权",
    "authorization:revoke": "撤销授权",
    "token:reuse": "发现令牌重用",
    "client:register": "登记应用",
    "client:update": "修改应用",
    "client:disable": "停用应用",
    "client:enable": "启用应用",
    "client:delete": "注销应用",
    "client:initial_access_token": "签发应用自助登记令牌",
    "client:secret_rotate": "更换应用密钥",
    "key:rotate": "轮换密钥",
    "key:retire": "停用密钥",
    "delivery:retry": "重新投递通知",
    "delivery:discard": "放弃通知",
    "signal_stream:create": "登记安全事件流",
    "signal_stream:update": "变更安全事件流",
    "signal_stream:delete": "删除安全事件流",
    "role:grant": "授予角色",
    "role:withdraw": "收回角色",
}

# Seconds for which an initial access token works.
INITIAL_ACCESS_TTLS = {"3600": "1 小时", "86400": "1 天", "604800": "7 天", "2592000": "30 天"}

# In the order in which a consent page tells them.
SHARED_DATA = {
    "openid": "您在该应用中的唯一标识（不含证件号）",
    "enterprise": "您以何种身份办理，所代表企业的名称和统一社会信用代码",
    "handler": "您的经办人授权：授权编号和可办理的事项",
    "profile": "您的姓名",
    "phone": "您的手机号",
    "email": "您的电子邮箱",
    "address": "您的联系地址",
    "roles": "您在该应用中的角色",
    "verified_claims": "您的实名认证结果和企业授权关系",
    "identity_document": "您的证件号（加密传送）",
    "accident_report:submit": "允许该应用以所代表企业的名义提交事故报告",
    "accident_report:read": "允许该应用读取所代表企业的事故报告",
    "offline_access": "在您退出登录后，仍可在授权有效期内继续办理",
}

TABLES: Mapping[str, Mapping[str, str]] = {
    "matter": MATTERS,
    "subject_type": SUBJECT_TYPES,
    "account_type": ACCOUNT_TYPES,
    "document_type": DOCUMENT_TYPES,
    "organization_type": ORGANIZATION_TYPES,
    "legal_person_type": LEGAL_PERSON_TYPES,
    "verification_status": VERIFICATION_STATUSES,
    "handler_status": HANDLER_STATUSES,
    "handler_reason": HANDLER_REASONS,
    "refuse_reason": REFUSE_REASONS,
    "revoke_reason": REVOKE_REASONS,
    "handler_step": HANDLER_STEPS,
    "handler_side": HANDLER_SIDES,
    "handler_route": HANDLER_ROUTES,
    "invitation_status": INVITATION_STATUSES,
    "phone_change_status": PHONE_CHANGE_STATUSES,
    "escalation_ground": ESCALATION_GROUNDS,
    "escalation_status": ESCALATION_STATUSES,
    "role": ROLES,
    "sms_purpose": SMS_PURPOSES,
    "message_kind": MESSAGE_KINDS,
    "scan_purpose": SCAN_PURPOSES,
    "factor": FACTORS,
    "network": NETWORKS,
    "account_status": ACCOUNT_STATUSES,
    "agreement": AGREEMENTS,
    "authentication_method": AUTHENTICATION_METHODS,
    "grant_type": GRANT_TYPES,
    "application_type": APPLICATION_TYPES,
    "acr": ACR_VALUES,
    "key_state": KEY_STATES,
    "key_use": KEY_USES,
    "audit_event": AUDIT_EVENTS,
}
