"""The pages' own files (静态文件): style sheet, scripts, icon; each page names some of them."""

from functools import cache

from django.contrib.staticfiles.storage import StaticFilesStorage


class OwnFiles(StaticFilesStorage):
    """As Django's, but the address of a file, which never changes while a process runs, is worked out once."""

    def url(self, name: str | None) -> str:
        """The address of a file."""
        return _address(self, name)


@cache
def _address(storage: OwnFiles, name: str | None) -> str:
    return StaticFilesStorage.url(storage, name)
