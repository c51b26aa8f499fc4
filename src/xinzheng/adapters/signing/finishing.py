"""Finish pyHanko's coroutines from ordinary code, whether or not an event loop already runs in this thread."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def finish(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The coroutine's result; ``asyncio.run`` alone would refuse inside an asynchronous server."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1, thread_name_prefix="signing") as elsewhere:
        return elsewhere.submit(asyncio.run, coroutine).result()
