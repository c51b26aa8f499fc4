"""What people may write into forms and behind question marks, at every address that reads it."""

import pytest

from tests.permissions.addresses import CALLERS, Row, addresses
from tests.permissions.asking import asked, leaks, send, senders
from tests.permissions.world import World

# What breaks a database or a decoder is said everywhere; of the rest one in each place.
HOSTILE = ("\0", "9" * 5000, "\ud83d", "'\"><script>", "../..", "-1", "١٢")
EVERYWHERE = 3


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("text", HOSTILE, ids=["nul", "overlong", "surrogate", "markup", "path", "negative", "digits"])
def test_nothing_said_in_a_form_or_behind_the_question_mark_breaks_an_address(
    world: World, caller: str, text: str
) -> None:
    client = world.client(caller)
    found = []
    for row, mirrored, address in asked(world):
        names = addresses()[row.route].parameters
        if not names or mirrored or caller not in senders(row):
            continue
        for told in ({name: text} for place, name in enumerate(names) if _is_said(text, place, caller, row)):
            for method in ("get", "post"):
                response = send(client, method, address, told)
                found += leaks(caller, f"{method} {address} {list(told)}", response)
    assert not found, "\n".join(found)


def _is_said(text: str, place: int, caller: str, row: Row) -> bool:
    """The last of the callers says only one of all texts in each place."""
    turn = HOSTILE.index(text)
    if caller == senders(row)[-1]:
        return turn == place % len(HOSTILE)
    return turn < EVERYWHERE or turn == EVERYWHERE + place % (len(HOSTILE) - EVERYWHERE)
