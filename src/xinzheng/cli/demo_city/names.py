"""Invented names (虚构名称): every party, representative and address says 示例, so that none is taken for real."""

from random import Random

FIRST = "云恒瑞泰华晨博远嘉信安和盛达明锐宏景卓越同森铭川新启航凌峰润禾吉祥岭浦驰宇维图朗朋"
SECOND = "帆宇辰川峰达源图朗驰森禾铭岭浦港羽澜晟捷诚润泽翔科联创合智汇讯芯"
TRADES = (
    "新材料", "精密机械", "智能装备", "电子科技", "纺织", "丝绸", "生物医药", "医疗器械", "食品", "餐饮管理", "物流",
    "供应链管理", "建设工程", "装饰工程", "园林工程", "环保科技", "化工", "塑业", "金属制品", "汽车零部件", "光电",
    "软件", "信息技术", "网络科技", "教育咨询", "文化传媒", "旅行社", "酒店管理", "商贸", "进出口", "农业科技", "家居",
    "劳务服务", "物业管理", "人力资源", "检测技术", "能源科技", "包装印刷",
)  # fmt: skip
SHOPS = (
    "面馆", "小吃店", "水果店", "五金店", "服装店", "烟酒商行", "便利店", "理发店", "汽修厂", "宠物店", "茶叶店",
    "药店", "花店", "日用品商店", "水产摊", "蔬菜店", "网吧", "电动车行", "建材经营部", "母婴用品店",
)  # fmt: skip
GIVEN = "甲乙丙丁一二三四五六七八九十子丑寅卯辰巳东南西北中春夏秋冬松竹梅兰江河湖海山石田木林云雨风"
ROADS = ("示例路", "示例大道", "示例东路", "示例西街", "示例工业园", "示例科技园", "示例广场")


def brand(rng: Random) -> str:
    """A brand: 示例 and two characters."""
    return f"示例{rng.choice(FIRST)}{rng.choice(SECOND)}"


def person_name(rng: Random) -> str:
    """A person's name: 示例 and one or two characters."""
    return "示例" + "".join(rng.choices(GIVEN, k=rng.choice((1, 2, 2))))


def company_name(rng: Random, place: str) -> str:
    """A company's name as registered in a place."""
    form = rng.choice(("有限公司", "有限公司", "有限公司", "有限责任公司", "股份有限公司", "（集团）有限公司"))
    return f"{place}{brand(rng)}{rng.choice(TRADES)}{form}"


def shop_name(rng: Random, place: str) -> str:
    """A name of an individual business (个体工商户)."""
    return f"{place}{brand(rng)}{rng.choice(SHOPS)}"


def address(rng: Random, place: str) -> str:
    """An address in a district."""
    room = rng.choice(("", f"{rng.randint(1, 20)}幢", f"{rng.randint(101, 2608)}室"))
    return f"{place}{rng.choice(ROADS)}{rng.randint(1, 999)}号{room}"
