"""What nobody gets from redress by asking for it in another way than the pages do."""

from dataclasses import replace

from tests.module_database import module_database
from tests.redress_city import DOMAIN, RedressCity
from tests.redress_monday import built_city, code_of, monday_city, with_unit
from tests.small_city import BY
from xinzheng.apps.ledger.actions import submit_batch
from xinzheng.apps.ledger.models import RecordHead
from xinzheng.apps.redress.models import Correction
from xinzheng.apps.redress.upholding import Upholding, uphold

db, built, city = module_database, built_city, monday_city


def test_a_record_is_replaced_only_by_one_of_the_unit_that_upholds_and_that_still_stands(city: RedressCity) -> None:
    source = city.city.unit(DOMAIN, 1)
    columns = {"处罚机关统一社会信用代码": source, "数据来源单位统一社会信用代码": source}
    delivery = city.city.delivery([city.penalty("苏水罚〔2026〕7号", **columns)], DOMAIN)
    others = submit_batch(replace(delivery, scope=replace(delivery.scope, unit_uscc=source)), by=BY).batch
    own = city.city.submit([city.penalty(), city.penalty("苏水罚〔2026〕8号")], DOMAIN).batch
    city.city.submit([city.penalty("苏水罚〔2026〕8号", 处罚内容="罚款二万元")], DOMAIN)
    number = with_unit(city)
    for batch in (others, own):
        asked = Upholding(number, 2, Correction.What.REPLACED, "换成另一条", batch_id=batch)
        assert code_of(uphold, asked, account=city.accounts["chief"]) == "batch-corrects-nothing"
    assert RecordHead.objects.get(pk=city.record).payload_sha256 is not None
