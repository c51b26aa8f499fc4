"""What the subject says with a step (陈述): sealed under a key of its own, deleted with the evidence."""

from collections.abc import Iterable

from django.db import transaction

from xinzheng.apps.redress.errors import RedressError
from xinzheng.apps.redress.key_hooks import words_owner
from xinzheng.apps.redress.models import Step, StepWords
from xinzheng.apps.registry.keys import decrypt, encrypt, new_data_key, unwrap_key, wrap_key

MOST_CHARACTERS = 2000


class WordsError(RedressError):
    """What was said cannot be kept."""

    code = "words-unfit"


def words_to_keep(words: str) -> str:
    """What was typed, with its lines, without spaces around.

    Raises:
        WordsError: longer than 2,000 characters, or with characters that cannot be shown.
    """
    kept = "\n".join(line.rstrip() for line in words.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip()
    if len(kept) > MOST_CHARACTERS:
        raise WordsError(f"情况说明最多{MOST_CHARACTERS}个字，现在有{len(kept)}个，请缩短，或者写成文件上传。")
    if not all(sign.isprintable() or sign in "\n\t" for sign in kept):
        raise WordsError("情况说明里有不能显示的字符，请重新填写。")
    return kept


@transaction.atomic
def keep_words(step: Step, words: str) -> None:
    """Seal what was said with a step, in the caller's transaction; nothing where nothing was said.

    Raises:
        WordsError: as :func:`words_to_keep`.
    """
    kept = words_to_keep(words)
    if not kept:
        return
    key, owner = new_data_key(), words_owner(step.pk)
    sealed = encrypt(key, kept.encode(), owner)
    StepWords.objects.create(step=step, wrapped_key=wrap_key(key, owner), words_ct=sealed)


def words_of(step_ids: Iterable[int]) -> dict[int, str]:
    """What was said with these steps, by step; none where nothing was said or it was deleted after its time."""
    found = StepWords.objects.filter(step__in=list(step_ids))
    return {row.step_id: _opened(row) for row in found}


def _opened(row: StepWords) -> str:
    owner = words_owner(row.step_id)
    return decrypt(unwrap_key(bytes(row.wrapped_key), owner), bytes(row.words_ct), owner).decode()
