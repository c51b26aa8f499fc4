"""What people may write into forms and behind question marks, at every address that reads it."""

import pytest

from tests.permissions.addresses import CALLERS, NOBODY, Row, addresses
from tests.permissions.asking import asked, leaks, send
from tests.permissions.world import World

HOSTILE = ("\0", "9" * 5000, "'\"><script>", "\ud83d", "../..", "-1", "١٢")


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("text", HOSTILE, ids=["nul", "overlong", "markup", "surrogate", "path", "negative", "digits"])
def test_nothing_said_in_a_form_or_behind_the_question_mark_breaks_an_address(
    world: World, caller: str, text: str
) -> None:
    client = world.client(caller)
    found = []
    for row, mirrored, address in asked(world):
        names = addresses()[row.route].parameters
        if not names or mirrored or caller not in _senders(row):
            continue
        turn = HOSTILE.index(text) if caller == _senders(row)[-1] else None
        for told in ({name: text} for place, name in enumerate(names) if turn in (None, place % len(HOSTILE))):
            for method in ("get", "post"):
                response = send(client, method, address, told)
                found += leaks(caller, f"{method} {address} {list(told)}", response)
    assert not found, "\n".join(found)


def _senders(row: Row) -> tuple[str, ...]:
    """Nobody, and two of those who are let in: what is read is read alike for all of them.

    The last says one of the texts in each place only.
    """
    return (NOBODY, *[caller for caller in CALLERS if caller in row.who and caller != NOBODY][:2])
