"""The blocks of 平台首页: what each is, and what to do about what this platform does not handle itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Block:
    """One block. ``endpoint`` is its page; those of ``home.block`` explain, the others do.

    ``here`` says what this platform does about it, ``do`` what a person does, one step a line; ``words`` are
    further words to find it by.
    """

    code: str
    name: str
    summary: str
    endpoint: str = "home.block"
    here: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


HOT_TERMS: Final = ("电信业务经营许可", "道路机动车辆产品准入许可", "无线电发射设备型号核准")

BLOCKS: Final = (
    Block(
        "permits",
        "行政许可",
        "许可事项由各业务系统受理",
        here=(
            "行政许可包括电信业务经营许可、道路机动车辆产品准入许可、无线电发射设备型号核准等事项，由各事项的业务系统受理和审批。",
            "本平台负责账号、实名认证和经办人授权，不受理许可申请，也不能查询审批结果。",
        ),
        do=(
            "先在本平台完成注册和实名认证，由他人代办的再办理经办人授权。",
            "致电 12381，说明事项名称，由工作人员告知受理的系统和所需材料。",
            "已接入本平台的系统，可在下方直接进入，使用平台账号登录。",
        ),
        words=HOT_TERMS,
    ),
    Block(
        "declarations",
        "申报服务",
        "企业向主管部门申报信息",
        here=(
            "申报由业务系统办理。目前接入的是新能源汽车事故上报：企业的法人账号，以及取得授权的经办人账号，均可登录上报。",
            "其他申报事项尚未接入本平台。",
        ),
        do=(
            "确认您的账号已实名认证，并可代表本企业办理。",
            "从下方进入业务系统，点击登录，使用平台的登录名、密码和短信验证码。",
            "其他申报事项，请致电 12381 咨询。",
        ),
        words=("申报", "上报", "新能源汽车事故"),
    ),
    Block(
        "filings",
        "备案服务",
        "备案事项由各业务系统受理",
        here=("备案事项由各业务系统受理，目前没有备案系统接入本平台，本平台也不代收备案材料。",),
        do=(
            "致电 12381，说明备案事项名称，由工作人员告知受理的系统。",
            "需要使用平台账号的，可先在本平台完成注册和实名认证。",
        ),
        words=("备案",),
    ),
    Block(
        "policies",
        "政策文件",
        "查找与账号和上报有关的规定",
        here=(
            "本平台不发布政策文件，以免与正式文本不一致。政策文件以工业和信息化部门户网站公布的为准。",
            "与本平台账号有关的规则见《用户服务协议》和《隐私政策》。",
        ),
        do=("在部门户网站按文件名或文号查找。", "找不到所需文件的，请致电 12381。"),
        words=("文件", "规定", "法规", "通知文号"),
    ),
    Block("notices", "通知公告", "平台自己的通知", "notices.index", words=("公告", "通知")),
    Block(
        "infographics",
        "一图读懂",
        "一张图看清从注册到上报",
        "home.infographic",
        words=("图解", "流程图", "流程"),
    ),
    Block(
        "progress", "查询", "查询自己的办件进度", "progress.index", words=("办件", "进度", "编码", "审核结果")
    ),
    Block("help", "在线帮助", "常见问题与解答", "home.guide", words=("帮助", "问题", "咨询")),
    Block(
        "status",
        "运行情况",
        "各项服务此刻是否正常",
        "home.status",
        words=("故障", "维护", "打不开", "系统状态"),
    ),
    Block(
        "complaints",
        "投诉与建议",
        "对平台和服务提出意见",
        here=("投诉与建议由电话 12381 受理并登记，本平台目前不在线受理，以免您的意见无人答复。",),
        do=(
            "致电 12381，说明时间、页面和遇到的问题；错误页上有请求编号的，请一并告知。",
            "涉及账号被他人使用的，请先修改密码、退出其他设备，再致电。",
        ),
        words=("投诉", "建议", "意见", "举报"),
    ),
    Block(
        "appointments",
        "政务服务大厅线上预约",
        "到大厅办理前的准备",
        here=("本平台目前不办理线上预约。注册、实名认证和经办人授权都可以在线完成，无需到大厅。",),
        do=(
            "确需到政务服务大厅办理的，请致电 12381 咨询时间、地点和预约方式。",
            "前往时请携带本人证件；代表企业的，还须携带营业执照和授权材料。",
        ),
        words=("预约", "大厅", "窗口", "现场办理"),
    ),
)

BLOCKS_BY_CODE: Final = {block.code: block for block in BLOCKS}
