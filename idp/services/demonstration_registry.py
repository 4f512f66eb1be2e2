"""The demonstration registry's people and enterprises: invented, all numbers in region 99, which is nowhere.

The demonstration accounts' own identities stand here too; ``NOT_REGISTERED`` are those without an account, so
that the whole way can be walked from nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def _person(real_name: str, document_number: str) -> Mapping[str, str]:
    return MappingProxyType(
        {"real_name": real_name, "document_type": "id_card", "document_number": document_number}
    )


def _enterprise(credit_code: str, name: str, representative: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(
        {
            "enterprise_credit_code": credit_code,
            "enterprise_name": name,
            "representative_name": representative["real_name"],
            "representative_document_type": representative["document_type"],
            "representative_document_number": representative["document_number"],
        }
    )


# The people of the demonstration accounts, by login name.
PERSON_OF_ACCOUNT: Final = MappingProxyType(
    {
        "demo_handler": _person("周示例", "990101199001010019"),
        "demo_multi": _person("吴示例", "99010119900101006X"),
        "demo_pending": _person("郑示例", "990101199001010190"),
        "demo_person": _person("冯示例", "990101198506150012"),
        "demo_regulator": _person("陈示例", "990101198506150020"),
    }
)
_REPRESENTATIVE_OF_CARS: Final = _person("赵示例", "990101196207040017")
_REPRESENTATIVE_OF_BATTERIES: Final = _person("钱示例", "99010120000229002X")
_REPRESENTATIVE_OF_NEWCOMER: Final = _person("张示例", "990101197812310016")

CARS: Final = _enterprise("91990101MADEM00117", "示例新能源汽车有限公司", _REPRESENTATIVE_OF_CARS)
BATTERIES: Final = _enterprise("91990101MADEM002XY", "样板动力电池有限公司", _REPRESENTATIVE_OF_BATTERIES)
NEWCOMER: Final = _enterprise("91990101MADEM0038Y", "演示汽车科技有限公司", _REPRESENTATIVE_OF_NEWCOMER)

NOT_REGISTERED: Final = (
    NEWCOMER,
    _person("李示例", "990101199001010027"),
    _person("王示例", "990101199508080024"),
)

RECORDS: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = MappingProxyType(
    {
        "natural_person": (
            *PERSON_OF_ACCOUNT.values(),
            _REPRESENTATIVE_OF_CARS,
            _REPRESENTATIVE_OF_BATTERIES,
            _REPRESENTATIVE_OF_NEWCOMER,
            *NOT_REGISTERED[1:],
        ),
        "legal_person": (CARS, BATTERIES, NEWCOMER),
    }
)
