"""Look into the files strangers give as evidence (证据): PDF, JPG or PNG by what is in them, in the bounded process."""

from xinzheng.adapters.evidence.examiner import examine_file
from xinzheng.adapters.evidence.verdicts import ENDINGS, MOST_PAGES, MOST_PIXELS, Problem, Verdict

__all__ = ["ENDINGS", "MOST_PAGES", "MOST_PIXELS", "Problem", "Verdict", "examine_file"]
