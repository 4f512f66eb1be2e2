"""Builds the list of well-known passwords that ``idp/services/known_passwords.py`` looks up.

``python -m deploy.known_passwords`` writes it anew, always the same. The list is derived, not copied: no
leaked collection of anybody's passwords is in it. It holds what people build when a form demands letters,
digits and special characters: a word that comes to mind, and the tail that the form makes them add.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final

from idp.domain.passwords import LONGEST, SHORTEST

TARGET: Final = Path(__file__).resolve().parents[1] / "idp" / "services" / "known_passwords.txt.gz"

# Walks over the keyboard.
WALKS: Final = """
qwerty qwertyu qwertyui qwertyuiop asdfgh asdfghj asdfghjk asdfghjkl zxcvbn zxcvbnm qweasd qweasdzxc
qazwsx qazwsxedc asdzxc poiuyt lkjhgf mnbvcxz wasd qwer asdf zxcv qwe asd zxc qaz 1qaz2wsx 1qaz 2wsx
3edc 1q2w3e4r 1q2w3e 1q2w q1w2e3r4 q1w2e3 qaz123 qwe123 asd123 zaq1 zaq12wsx 1qazxsw2 wsx3edc
"""
# What one types where a password is asked for.
WORDS: Final = """
password passw0rd passwd pass admin administrator root user guest test testing tester demo default
system server manager master login welcome letmein changeme secret private public hello super superman
batman dragon monkey shadow sunshine princess football baseball basketball summer winter spring autumn
china beijing shanghai internet network computer office company business service support security access
account member work home family love lover iloveyou loveyou baby angel lucky happy money freedom forever
flower rainbow tiger golden silver diamond abc abcd abcde abcdef abcabc aaa aaaa aaaaaa aa ab a aaabbb
xyz xxx qqq www zzz sss
"""
# The platform and the work on it.
PLATFORM: Final = """
zhengwu zhengwufuwu gongxinbu gongxin miit zwfw ythzxfw smdvs qcdtjcxt jingbanren faren shangbao shigu
qiche xinnengyuan dianchi jianguan shenpi renzheng yonghu mima denglu zhanghao guanliyuan guanli banshi
fuwu pingtai gov govcn zhengfu jiguan danwei bangong bangongshi gongsi qiye jituan caiwu renshi xinxi
keji
"""
# Common words in pinyin.
PINYIN: Final = """
woaini woaiwo wobuaini aini aiwo nihao nihaoma zhongguo woaizhongguo zuguo aiguo jiayou xiexie zaijian
pengyou laopo laogong baobao baobei mama baba jiejie didi gege meimei erzi nver qinqin xingfu kuaile
pingan jiankang facai gongxi xinnian kaixin yongyuan yisheng yishengyishi tiantian tianxia tianshi
shijie haizi xiaohai dianhua shouji diannao wangluo gongzuo laoshi xuesheng xuexi daxue yiyuan yinhang
shenghuo meili piaoliang fengkuang xiaoxin xiaoxiao tiankong dahai taiyang yueliang xingxing huahua
caonima hahaha
"""
PLACES: Final = """
anhui chongqing fujian gansu guangdong guangxi guizhou hainan hebei heilongjiang henan hubei hunan
jiangsu jiangxi jilin liaoning neimenggu ningxia qinghai shaanxi shandong shanxi sichuan tianjin
xinjiang xizang yunnan zhejiang guangzhou shenzhen hangzhou nanjing suzhou wuhan chengdu xian changsha
zhengzhou jinan qingdao dalian shenyang changchun haerbin hefei fuzhou xiamen nanchang kunming guiyang
nanning haikou lanzhou taiyuan shijiazhuang ningbo wuxi dongguan foshan
"""
SURNAMES: Final = """
wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo zheng liang xie song
tang deng han feng cao peng zeng xiao tian dong pan yuan cai jiang yu du ye cheng wei su lv ding ren lu
yao shen zhong cui tan fan liao shi jin jia xia fu fang zou xiong bai meng qin qiu hou yin xue yan duan
lei long tao
"""
GIVEN_NAMES: Final = """
xiaoming xiaohong xiaoli xiaofang xiaolong xiaoyu zhangwei wangwei wangfang liwei lina zhangmin lijing
wangjing liuwei zhangli zhangsan lisi wangwu zhaoliu wangqiang liqiang zhangjie wanglei lilei liuyang
chenchen yangyang tingting lili jingjing dandan feifei yingying mingming linlin pingping honghong weiwei
fangfang junjun
"""
SEPARATORS: Final = "@#!."
NUMBERS: Final = """
1 12 123 1234 12345 123456 12345678 321 111 111111 000 666 666666 888 888888 520 1314 110 2008 2020 2022
2023 2024 2025 2026 2027 1988 1990 2000
"""
# Tails of specials that follow letters and digits, and the number row with Shift.
SPECIAL_TAILS: Final = ("!", "!!", "!@#", "!@#$", "@", "#", ".", "*")
SPELLINGS: Final = tuple(
    str.maketrans(*letters)
    for letters in (("a", "@"), ("ao", "@0"), ("s", "$"), ("i", "!"), ("o", "0"), ("e", "3"))
)
LETTERS_AND_DIGITS: Final = """
abc abcd abcdef a aa aaa qwe qwer qwert qwerty asd asdf zxc zxcv admin root test user woaini password
pass wo ai li wang zhang chen liu yang q w z x s
"""


def words() -> Iterator[str]:
    """Everything that a password is built on, each word once."""
    seen: dict[str, None] = {}
    for text in (WALKS, WORDS, PLATFORM, PINYIN, PLACES, SURNAMES, GIVEN_NAMES):
        seen.update(dict.fromkeys(text.split()))
    return iter(seen)


def candidates() -> Iterator[str]:
    """Word, separator and number in the orders that people use, whatever comes of it."""
    numbers = NUMBERS.split()
    for word, mark, number in product(words(), SEPARATORS, numbers):
        yield f"{word}{mark}{number}"
        yield f"{word}{number}{mark}"
    for word, number, tail in product(LETTERS_AND_DIGITS.split(), numbers, SPECIAL_TAILS):
        yield f"{word}{number}{tail}"
        yield f"{number}{word}{tail}"
    for first, mark, second in product(WALKS.split(), SEPARATORS, WALKS.split()):
        yield f"{first}{mark}{second}"
    for walk, tail in product(WALKS.split(), SPECIAL_TAILS):
        yield f"{walk}{tail}"
    yield from _respelled(numbers)


def _respelled(numbers: list[str]) -> Iterator[str]:
    """A clever spelling gives the special character or the digit that the form wants."""
    for word, spelling in product(words(), SPELLINGS):
        clever = word.translate(spelling)
        if clever != word:
            yield from (f"{clever}{tail}" for tail in (*numbers, *SPECIAL_TAILS))


def keeps_the_rules(password: str) -> bool:
    """Whether the rules of composition would let it pass; the others need no list."""
    kinds = (str.isalpha, str.isdigit, lambda c: not str.isalnum(c))
    return SHORTEST <= len(password) <= LONGEST and all(
        any(is_kind(c) for c in password) for is_kind in kinds
    )


def known_passwords() -> list[str]:
    """The list, sorted, lower case, each once."""
    return sorted({password for password in candidates() if keeps_the_rules(password)})


def main() -> None:
    """Write the file."""
    found = known_passwords()
    TARGET.write_bytes(gzip.compress("\n".join(found).encode("ascii") + b"\n", 9, mtime=0))
    sys.stdout.write(f"{TARGET.name}: {len(found)} passwords, {TARGET.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
