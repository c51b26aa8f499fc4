"""Reading YAML strictly: each value knows its file and line; a wrong one is noted, and reading goes on."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

import yaml

from xinzheng.adapters.policy_files.mistakes import Mistakes

Chosen = TypeVar("Chosen", bound=StrEnum)
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
TAG = "tag:yaml.org,2002:"
DEEPEST = 50
CODE = re.compile(r"[a-z][a-z0-9_-]{0,59}")
MOST_TEXT, MOST_NAME = 2000, 60
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TYPE_NAMES = {
    "str": "文字",
    "int": "整数",
    "bool": "true 或 false",
    "timestamp": "日期",
    "seq": "列表",
    "map": "键值表",
}


@dataclass(frozen=True, slots=True)
class Value:
    """One YAML value with its place; the readers below note a mistake and return a stand-in when it is wrong."""

    node: yaml.Node
    file: str
    mistakes: Mistakes

    @property
    def line(self) -> int:
        """Line in the file, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def tag(self) -> str:
        """The YAML type: str, int, bool, timestamp, seq, map, null, float."""
        return str(self.node.tag).removeprefix(TAG)

    def wrong(self, message: str) -> None:
        """Note a mistake at this place."""
        self.mistakes.add(self.file, self.line, message)

    def _expect(self, tag: str) -> bool:
        if self.tag != tag:
            hint = "，数字和日期作文字用时请加引号" if tag == "str" and isinstance(self.node, yaml.ScalarNode) else ""
            self.wrong(f"此处应为{TYPE_NAMES[tag]}，实际为{TYPE_NAMES.get(self.tag, self.tag)}{hint}")
        return self.tag == tag

    def _child(self, node: yaml.Node) -> "Value":
        return Value(node, self.file, self.mistakes)

    def text(self, most: int = MOST_TEXT) -> str:
        """A text that is not empty, can be shown and has at most so many characters; YAML joins its line breaks."""
        if not self._expect("str"):
            return ""
        text = str(self.node.value).strip()
        if not text:
            self.wrong("此处不能为空")
        if not all(map(_is_shown, text)):
            # A database keeps no NUL, and a sign that turns the direction of writing makes a rule read otherwise.
            self.wrong("此处有不能显示的字符，请重新输入")
        if len(text) > most:
            self.wrong(f"此处最多{most}个字，实际有{len(text)}个，请缩短")
        return text

    def name(self) -> str:
        """A text short enough for a heading or a cell."""
        return self.text(MOST_NAME)

    def code(self) -> str:
        """A name for machines: it stands in addresses, forms and lists joined by spaces."""
        text = self.text()
        if text and not CODE.fullmatch(text):
            self.wrong("此处应为代码：以小写字母开头，只用小写字母、数字、下划线和短横线，最多60个字")
        return text

    def whole(self, least: int = 0, most: int = 1000) -> int:
        """A whole number from ``least`` to ``most``."""
        if not self._expect("int"):
            return least
        number = self._number()
        if not least <= number <= most:
            self.wrong(f"此处应为{least}至{most}的整数，实际为{number}")
            return least
        return number

    def _number(self) -> int:
        try:
            return int(str(self.node.value).replace("_", ""))
        except ValueError:
            self.wrong(f"此处应为十进制整数，实际为“{self._shown()}”")
            return 0

    def flag(self) -> bool:
        """True or false."""
        return self._expect("bool") and str(self.node.value).lower() in ("true", "yes", "on")

    def day(self) -> date:
        """A day, YYYY-MM-DD."""
        if self.tag in ("timestamp", "str") and ISO_DAY.fullmatch(str(self.node.value)):
            try:
                return date.fromisoformat(str(self.node.value))
            except ValueError:
                self.wrong(f"没有“{self.node.value}”这一天，请核对日期")
                return date.min
        self.wrong(f"此处应为日期，写作 YYYY-MM-DD，实际为“{self._shown()}”")
        return date.min

    def moment(self) -> date | datetime:
        """A day, or a date-time with its offset."""
        if ISO_DAY.fullmatch(str(self.node.value)):
            return self.day()
        try:
            moment = datetime.fromisoformat(str(self.node.value))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self.wrong(f"此处应为日期，或者带时区的时间（如 2025-06-01T10:00:00+08:00），实际为“{self._shown()}”")
            return date.min
        return moment

    def _shown(self) -> str:
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else TYPE_NAMES.get(self.tag, self.tag)

    def one_of(self, options: type[Chosen]) -> Chosen:
        """A member of a closed list."""
        members = list(options)
        text = self.text()
        for member in members:
            if member.value == text:
                return member
        if text:
            self.wrong(f"“{text}”不在可用的值之中：{'、'.join(members)}")
        return members[0]

    def items(self) -> list["Value"]:
        """The entries of a list; an empty or wrong one gives none."""
        if not self._expect("seq"):
            return []
        return [self._child(node) for node in self.node.value]

    def entries(self) -> dict[str, "Value"]:
        """A mapping whose keys may be anything; a key that occurs twice is a mistake."""
        if not self._expect("map"):
            return {}
        read: dict[str, Value] = {}
        for key_node, node in self.node.value:
            key = str(key_node.value)
            if key in read:
                self._child(key_node).wrong(f"“{key}”写了两次，请合并")
            read[key] = self._child(node)
        return read

    def fields(self, required: Iterable[str], optional: Iterable[str] = ()) -> Mapping[str, "Value"]:
        """A mapping with exactly the keys named; unknown and missing ones are mistakes."""
        required, optional = tuple(required), tuple(optional)
        read = self.entries()
        if self.tag != "map":
            return {}
        places = {str(key.value): key for key, _ in self.node.value}
        for key in read:
            if key not in required + optional:
                allowed = "、".join(required + optional)
                self._child(places[key]).wrong(f"不认识的键“{key}”，此处可用：{allowed}")
        for key in required:
            if key not in read:
                self.wrong(f"缺少必需的键“{key}”")
        return read


def _is_shown(character: str) -> bool:
    return character == "\n" or character.isprintable() or unicodedata.category(character) == "Zs"


def alias_lines(content: bytes) -> tuple[int, ...]:
    """The lines (from 1) at which an alias stands, up to where the file can be read at all.

    A few aliases of aliases unfold without bound, so nobody's upload may hold one (``drafts``).
    """
    lines: list[int] = []
    try:
        for event in yaml.parse(content.decode("utf-8"), Loader=LOADER):
            if isinstance(event, yaml.AliasEvent) and event.start_mark is not None:
                lines.append(event.start_mark.line + 1)
    except (yaml.YAMLError, UnicodeDecodeError):
        pass  # reading says what is wrong there, and reads no further either
    return tuple(lines)


def _refuse_depths(text: str) -> None:
    """Raise RecursionError for nesting that would exhaust the stack of the C composer, which cannot be caught."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise RecursionError


def _refuse_loops(node: yaml.Node | None, above: tuple[yaml.Node, ...] = ()) -> None:
    """Raise RecursionError for an anchor that holds itself, which no reader here could end on."""
    if not isinstance(node, yaml.CollectionNode):
        return
    if any(node is holder for holder in above):
        raise RecursionError
    for child in node.value:
        for part in child if isinstance(child, tuple) else (child,):
            _refuse_loops(part, (*above, node))


def read_root(content: bytes, file: str, mistakes: Mistakes) -> Value | None:
    """The one YAML document of a file; None (and a mistake) when it cannot be read as YAML in UTF-8."""
    try:
        text = content.decode("utf-8")
        _refuse_depths(text)
        node = yaml.compose(text, Loader=LOADER)
        _refuse_loops(node)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        mistakes.add(file, line, "文件不是 UTF-8 编码，请另存为 UTF-8")
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        mistakes.add(file, mark.line + 1 if mark else 1, f"YAML 格式有误，请检查缩进、冒号和引号（{error.problem}）")
        return None
    except yaml.YAMLError as error:
        mistakes.add(file, 1, f"文件含有 YAML 不允许的字符（{type(error).__name__}）")
        return None
    except RecursionError:
        mistakes.add(file, 1, "YAML 嵌套过深，或者锚点引用了它自身")
        return None
    if node is None:
        mistakes.add(file, 1, "文件是空的")
        return None
    return Value(node, file, mistakes)
