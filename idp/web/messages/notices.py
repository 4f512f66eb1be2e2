"""What was done, told at the top of the next page."""

from __future__ import annotations

NOTICES: dict[str, str] = {
    "default_enterprise_set": "已切换企业。",
    "default_enterprise_cleared": "已设为以本人身份办理。",
    "identity_confirmed": "身份已确认，10 分钟内有效。请继续办理；刚才提交的操作还没有执行，请再提交一次。",
    "login_ended": "已退出该设备上的登录。",
    "consent_withdrawn": "已撤回授权，该系统不能再凭此前的授权访问您的信息。",
    "password_changed": "密码已修改，下次登录请使用新密码。",
    "verified": "实名认证已通过。",
    "verification_submitted": "申请已提交，请等待审核结果，结果会以短信告知。",
    "handler_applied": "申请已提交，请等待企业法人账号审核，结果会以短信告知。",
    "handler_withdrawn": "已撤回申请。",
    "handler_approved": "已同意 {name} 的经办人申请，对方现在可以代表本企业办理。",
    "handler_refused": "已拒绝 {name} 的经办人申请。",
    "handler_revoked": "已撤销 {name} 的经办人授权，立即生效，对方不能再代表本企业办理。",
    "review_approved": "已通过该申请，申请人会收到短信。",
    "review_rejected": "已驳回该申请，申请人会收到短信。",
    "client_registered": "应用已登记。",
    "client_disabled": "应用已停用，一秒内在所有服务进程生效。",
    "client_enabled": "应用已重新启用。",
    "initial_access_token_issued": "已签发登记令牌。",
    "secret_rotated": "已生成新密钥，原密钥立即失效。",
    "key_rotated": "已添加新密钥，公布一段时间后开始签名。",
    "delivery_retried": "已安排重新投递，稍后刷新可查看结果。",
    "delivery_discarded": "已放弃该通知，不再投递。",
    "account_frozen": "账号已冻结，所有登录已结束，相关业务系统会收到通知。",
    "account_unfrozen": "账号已解冻，可以重新登录。",
    "role_granted": "已授予角色，下次签发令牌时生效。",
    "role_withdrawn": "已收回角色。",
}
