"""Reading untrusted JSON files: size and nesting are limited, and every fault is an `InputError` of one line."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hybrid_ir.sources.errors import InputError

LARGEST = 512 * 2**20  # bytes; the largest file that a run writes has a few megabytes
DEEPEST = 64  # levels of nesting; files of this project have at most eight


def read_json_object(path: str | Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InputError: the file cannot be read, is too large, is not JSON, is nested too deeply, or is not an object.
    """
    value = read_json_value(path)
    if not isinstance(value, dict):
        raise InputError(path, f"must hold a JSON object, found {kind_of(value)}")
    return value


def read_json_value(path: str | Path) -> Any:
    """The JSON value in a file. Raises InputError like `read_json_object`, except that any type is allowed."""
    path = Path(path)
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise InputError(path, f"has {size:,} bytes; at most {LARGEST:,} are read")
        value = json.loads(path.read_text(encoding="utf-8-sig"))  # with or without a byte order mark
    except InputError:
        raise
    except json.JSONDecodeError as error:
        raise InputError(path, f"not JSON: {error.msg} (column {error.colno})", line=error.lineno) from None
    except UnicodeDecodeError as error:
        raise InputError(path, f"not UTF-8: {error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:  # a number with thousands of digits, or brackets nested too deep
        raise InputError(path, f"not usable JSON: {error}") from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
    if any(depth > DEEPEST for depth, _ in _walk(value)):
        raise InputError(path, f"not usable JSON: containers are nested more than {DEEPEST} deep")
    return value


def kind_of(value: Any) -> str:
    """The name of a JSON value's type in messages."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _walk(value: Any) -> Iterator[tuple[int, Any]]:
    """Every value with its depth, without recursion."""
    waiting = [(0, value)]
    while waiting:
        depth, value = waiting.pop()
        yield depth, value
        if isinstance(value, Mapping):
            waiting += [(depth + 1, entry) for entry in value.values() if isinstance(entry, dict | list)]
        elif isinstance(value, list):
            waiting += [(depth + 1, entry) for entry in value if isinstance(entry, dict | list)]
