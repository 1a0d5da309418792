"""Reads the small part of YAML that topology files use, with Python's standard library alone.

Block and flow collections, plain and quoted scalars, comments. Anchors, multi-line scalars and tags are not read; the
binaries judge the file, the lab only reads what they accepted.
"""

import re


class YamlError(Exception):
    pass


def _scalar(text):
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"-?\d+\.\d+", text):
        return float(text)
    return text


def _strip_comment(line):
    quote = None
    for i, char in enumerate(line):
        if quote:
            quote = None if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "#" and (i == 0 or line[i - 1].isspace()):
            return line[:i].rstrip()
    return line.rstrip()


def _depth(text):
    """Open brackets less closed ones, outside of quotes."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", text)
    return sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}")


def _split_flow(text):
    parts, current = [], ""
    for part in text.split(","):
        current = f"{current},{part}" if current else part
        if _depth(current) == 0 and current.count('"') % 2 == 0:
            parts.append(current.strip())
            current = ""
    if current.strip():
        raise YamlError(f"unbalanced: {text}")
    return [part for part in parts if part]


def _split_key(text):
    found = re.match(r"""("[^"]*"|'[^']*'|[^:\[{"']+?)\s*:(?:\s+(.*)|$)""", text, re.S)
    if not found:
        raise YamlError(f"not 'key: value': {text}")
    return _scalar(found[1]), (found[2] or "").strip()


def _value(text):
    text = text.strip()
    if text.startswith("["):
        return [_value(part) for part in _split_flow(text[1:-1])]
    if text.startswith("{"):
        return {key: _value(value) for key, value in map(_split_key, _split_flow(text[1:-1]))}
    return _scalar(text)


def _lines(text):
    """(indent, text) of each logical line; a flow collection that goes on over lines is joined."""
    logical = []
    for raw in text.splitlines():
        line = _strip_comment(raw)
        if not line.strip():
            continue
        if logical and _depth(logical[-1][1]) > 0:
            logical[-1] = (logical[-1][0], logical[-1][1] + " " + line.strip())
        else:
            logical.append((len(line) - len(line.lstrip()), line.strip()))
    return logical


def _block(lines, at, indent):
    """The collection that begins at line `at`; its lines have exactly `indent`. Returns (value, next line)."""
    value = [] if lines[at][1].startswith("- ") else {}
    while at < len(lines) and lines[at][0] == indent:
        text = lines[at][1]
        if isinstance(value, list):
            if not text.startswith("- "):
                break  # a list may be as far in as the key that holds it
            inner = indent + 2
            text = text[2:].strip()
            if text[0] in "[{" or not re.match(r"[^:\"']+:(\s|$)", text):
                value.append(_value(text))
                at += 1
                continue
            lines[at] = (inner, text)
            item, at = _block(lines, at, inner)
            value.append(item)
            continue
        key, rest = _split_key(text)
        at += 1
        if rest:
            value[key] = _value(rest)
        elif at < len(lines) and (lines[at][0] > indent or (lines[at][0] == indent and lines[at][1].startswith("- "))):
            if lines[at][1][0] in "[{":
                value[key] = _value(lines[at][1])
                at += 1
            else:
                value[key], at = _block(lines, at, lines[at][0])
        else:
            value[key] = None
    return value, at


def parse_yaml(text):
    lines = _lines(text)
    for _, line in lines:
        if _depth(line) != 0:
            raise YamlError(f"unbalanced: {line}")
    value, at = _block(lines, 0, lines[0][0])
    if at != len(lines):
        raise YamlError(f"cannot read: {lines[at][1]}")
    return value
