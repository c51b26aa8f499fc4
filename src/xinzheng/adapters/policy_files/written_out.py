"""Writing a file out in full (写全): YAML aliases replaced by what they stand for, all else left as it was written.

Shipped files use aliases; drafts may not (``drafts``). Whoever begins a draft begins with a pack that is written out.
"""

import yaml

LONG = 1_000_000


def written_out(content: bytes) -> bytes:
    """The same document without anchors and aliases, comments and line breaks kept. Only for files that load."""
    text = content.decode("utf-8")
    anchored = _anchored(text)
    pieces: list[str] = []
    at = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if not isinstance(token, yaml.AnchorToken | yaml.AliasToken):
            continue
        begins, ends = token.start_mark.index, token.end_mark.index
        pieces.append(text[at:begins])
        if isinstance(token, yaml.AliasToken):
            pieces.append(anchored[token.value])
        elif text[ends : ends + 1] == " ":
            ends += 1
        elif pieces[-1].endswith(" "):
            pieces[-1] = pieces[-1][:-1]
        at = ends
    return "".join((*pieces, text[at:])).encode()


def _anchored(text: str) -> dict[str, str]:
    """What each anchor names, on one line. An anchor may be given twice: YAML goes by the latest, so this refuses."""
    nodes = _nodes(yaml.compose(text, Loader=yaml.SafeLoader))
    found: dict[str, str] = {}
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or not isinstance(event, yaml.NodeEvent) or event.anchor is None:
            continue
        if event.anchor in found:
            raise ValueError("an anchor is given twice")
        line = yaml.serialize(_flow(nodes[_begin(event)]), Dumper=yaml.SafeDumper, allow_unicode=True, width=LONG)
        found[event.anchor] = line.removesuffix("...\n").strip()
    return found


def _begin(part: yaml.Event | yaml.Node) -> int:
    if part.start_mark is None:
        raise ValueError("no mark")
    return part.start_mark.index


def _nodes(root: yaml.Node | None) -> dict[int, yaml.Node]:
    """Every node by where it begins."""
    found: dict[int, yaml.Node] = {}
    waiting = [root] if root is not None else []
    while waiting:
        node = waiting.pop()
        found.setdefault(_begin(node), node)
        if isinstance(node, yaml.CollectionNode):
            for child in node.value:
                waiting.extend(child if isinstance(child, tuple) else (child,))
    return found


def _flow(node: yaml.Node) -> yaml.Node:
    """A copy that is written on one line."""
    if isinstance(node, yaml.MappingNode):
        return yaml.MappingNode(node.tag, [(_flow(key), _flow(value)) for key, value in node.value], flow_style=True)
    if isinstance(node, yaml.SequenceNode):
        return yaml.SequenceNode(node.tag, [_flow(child) for child in node.value], flow_style=True)
    style = getattr(node, "style", None)
    style = style if style in (None, "'", '"') else '"'
    return yaml.ScalarNode(node.tag, node.value, style=style)
