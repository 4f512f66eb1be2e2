"""Error pages: a title and a sentence that says what to do."""

from __future__ import annotations

ERROR_PAGES: dict[str, tuple[str, str]] = {
    "page_expired": (
        "页面已过期，请重试",
        "这个页面停留过久，或浏览器没有保存 Cookie。请返回上一页，刷新后重新提交。",
    ),
    "device_gone": ("设备已不再等待", "该设备的请求已处理或已过期。请在设备上重新开始，并使用新的代码。"),
    "request_expired": ("登录请求已失效", "这次登录请求已完成或已过期。请回到业务系统，重新点击登录。"),
    "administrators_only": ("没有访问权限", "此页面仅供平台管理员使用。如需权限，请联系平台管理员。"),
    "legal_person_only": ("没有访问权限", "经办人审核由企业的法人账号办理。请使用本企业的法人账号登录。"),
    "stronger_sign_in_needed": (
        "需要更强的登录方式",
        "管理功能要求使用通行密钥或动态口令登录。请重新登录后再试。",
    ),
    "http_400": ("请求无法识别", "提交的内容不完整或含有无法识别的字符。请返回上一页检查后重新提交。"),
    "http_403": ("没有访问权限", "您目前不能访问此页面。"),
    "http_404": ("页面不存在", "您访问的页面不存在或已移动。请检查网址，或从平台首页进入。"),
    "http_405": ("操作方式不正确", "请从页面上的按钮办理，不要直接访问此地址。"),
    "http_413": (
        "提交的内容过大",
        "每个扫描件不能超过 5 MB。请压缩文件或降低扫描分辨率后，返回上一页重新提交。",
    ),
    "http_500": (
        "系统出现问题",
        "您的操作没有完成，数据没有改动。请稍后重试；如多次出现，请致电 12381 并告知下方的请求编号。",
    ),
    "http_503": ("系统暂时繁忙", "服务暂时无法访问，您的数据没有改动。请稍候片刻再试。"),
    "other": ("无法完成请求", "请返回上一页重试，或从平台首页重新进入。"),
}

# What was wrong with the request that brought a person here, by the code of oauth's PageError.
REQUEST_FAULTS: dict[str, str] = {
    "missing": "业务系统发来的请求缺少必要的参数。",
    "repeated": "业务系统发来的请求中，同一参数出现了多次。",
    "unknown": "该业务系统没有在平台登记，或已被停用。",
    "unregistered": "业务系统的返回地址与登记的不一致。",
    "invalid": "业务系统发来的参数无法核验。",
    "mismatch": "业务系统发来的参数互相矛盾。",
    "not_a_form": "业务系统发来的请求格式不正确。",
    "unreadable": "业务系统发来的请求无法读取。",
}
