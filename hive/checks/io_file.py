"""The .io files of execution-apis: reading them, and comparing answers as hive does."""

import dataclasses
import json

LINE_CHARACTERS_MAX = 32 << 20


class BrokenCase(Exception):
    """The file is not an .io file."""


@dataclasses.dataclass
class Case:
    description: str
    speconly: bool
    messages: list  # ("request" | "answer", text), in order


def parse(text):
    """Lines: `//` comment, `>>` request, `<<` expected answer; blank ones count for nothing."""
    description, speconly, messages = [], False, []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if len(line) > LINE_CHARACTERS_MAX:
            raise BrokenCase(f"line {number}: {len(line)} characters")
        if not line:
            continue
        if line.startswith("//"):
            comment = line[2:].strip()
            if not messages:
                speconly = speconly or comment.startswith("speconly:")
                description.append(comment)
        elif line.startswith((">>", "<<")):
            kind = "request" if line.startswith(">>") else "answer"
            if kind == "answer" and not any(each == "request" for each, _ in messages):
                raise BrokenCase(f"line {number}: an answer before any request")
            messages.append((kind, line[2:].strip()))
        else:
            raise BrokenCase(f"line {number}: neither comment, request nor answer: {line[:60]!r}")
    if not messages:
        raise BrokenCase("no request")
    return Case("\n".join(description), speconly, messages)


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


def load(text):
    """JSON with numbers as doubles, as the comparison wants them."""
    return json.loads(text, parse_int=float, parse_constant=_no_constant)


def without_messages(expected, answer):
    """Both values without `error.message` where both have an error object with a message at the same place.
    Error objects are not walked into."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        expected, answer = dict(expected), dict(answer)
        for key in expected.keys() & answer.keys():
            a, b = expected[key], answer[key]
            if key == "error":
                if isinstance(a, dict) and isinstance(b, dict) and "message" in a and "message" in b:
                    expected[key] = {k: v for k, v in a.items() if k != "message"}
                    answer[key] = {k: v for k, v in b.items() if k != "message"}
            else:
                expected[key], answer[key] = without_messages(a, b)
    elif isinstance(expected, list) and isinstance(answer, list):
        expected, answer = list(expected), list(answer)
        for i in range(min(len(expected), len(answer))):
            expected[i], answer[i] = without_messages(expected[i], answer[i])
    return expected, answer


def differences(expected, answer, path="", limit=12):
    """Where two JSON values differ; empty: equal. Strings byte for byte, order of members free."""
    found = []
    _compare(expected, answer, path or "$", found, limit)
    return found


def _compare(expected, answer, path, found, limit):
    if len(found) >= limit:
        return
    if isinstance(expected, dict) and isinstance(answer, dict):
        for key in expected:
            if key not in answer:
                found.append(f"{path}.{key}: missing, want {_short(expected[key])}")
            else:
                _compare(expected[key], answer[key], f"{path}.{key}", found, limit)
        found.extend(f"{path}.{key}: not wanted: {_short(answer[key])}" for key in answer if key not in expected)
    elif isinstance(expected, list) and isinstance(answer, list):
        if len(expected) != len(answer):
            found.append(f"{path}: {len(answer)} items, want {len(expected)}")
        for i, (a, b) in enumerate(zip(expected, answer)):
            _compare(a, b, f"{path}[{i}]", found, limit)
    elif type(expected) is not type(answer) or expected != answer:
        found.append(f"{path}: have {_short(answer)}, want {_short(expected)}")


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:197] + "..."
