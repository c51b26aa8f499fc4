"""The day a record is dated by (记录日期), in SQL over versions ``v``: one definition for all who count by days."""

# A penalty may have a day of repair as well; only a repair itself is dated by it. Arrears have none: they are a state.
RECORD_DAY = "CASE v.kind WHEN 'credit_repair' THEN v.repaired_date ELSE coalesce(v.listed_from, v.decision_date) END"
