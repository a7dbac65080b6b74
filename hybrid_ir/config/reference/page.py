"""Lays the reference out: a section a program, a section a group, a table of fields each."""

import inspect
import re
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import omegaconf
from hydra.core.config_store import ConfigStore
from hydra.utils import get_object
from omegaconf import OmegaConf

from hybrid_ir.config.reference.meaning import YamlFile, described, read_yaml

Row = tuple[str, str, str, str]  # key, type, default, meaning
TITLES = ("field", "type", "default", "meaning")
NOT_SHOWN = ("hydra/help", "hydra/launcher")  # how help is printed; launchers have a page, docs/sweeps.md
INTRODUCTION = """# Configuration reference

Made from the schemas and from `conf/` by `python -m hybrid_ir.config.reference`; a test fails when it is out of date.
[Hydra](https://hydra.cc) composes a run of one choice from every group. On the command line `group=choice` takes
another choice, `group=[a,b]` several where a group allows that, `key=value` another value, `+key=value` adds a key
where there is no schema, and `null` stands for nothing. `python train.py --cfg job` shows the whole, `--help` the
choices. A key or choice that does not exist is refused, and the nearest is named.
"""


def page(conf: Path) -> str:
    """The whole page as Markdown."""
    programs = {path.stem: read_yaml(path) for path in sorted(conf.glob("*.yaml"), key=_train_first)}
    schemas = {name: _schema(file) for name, file in programs.items()}
    parts = [INTRODUCTION]
    parts += [_program(name, file, schemas[name], conf) for name, file in programs.items()]
    parts += [_group(group, schemas.values(), conf) for group in _groups(conf)]
    return "\n".join(part for part in parts if part)


def field_rows(schema: type, prefix: str = "") -> Iterator[Row]:
    """A row for every field of a schema, nested schemas in its place."""
    texts, hints = _meanings(schema), get_type_hints(schema)
    for item in fields(schema):
        if item.name == "_target_":
            continue
        nested = _dataclass(hints[item.name])
        default = _default(item)
        if nested and default != "null":
            yield from field_rows(nested, f"{prefix}{item.name}.")
        else:
            meaning = _sentences(texts.get(item.name, ""))
            yield f"{prefix}{item.name}", _type(hints[item.name]), default, meaning
            if nested:
                yield from field_rows(nested, f"{prefix}{item.name}.")


def target_rows(file: YamlFile, prefix: str = "") -> Iterator[Row]:
    """A row for every argument that a YAML file sets or leaves to the function or class that it names."""
    target = get_object(file.values[f"{prefix}_target_"])
    own = target.__module__.startswith("hybrid_ir")
    texts = described(target) if own else {}
    parameters = inspect.signature(target).parameters if own else {}
    keys = [key.removeprefix(prefix) for key in file.values if key.startswith(prefix) and key != f"{prefix}_target_"]
    for key in [*(key for key in keys if "." not in key), *(key for key in parameters if key not in keys)]:
        parameter = parameters.get(key)
        kind = _annotation(parameter.annotation) if parameter else ""
        default = file.values.get(f"{prefix}{key}", "") or _mapping(file, f"{prefix}{key}.")
        if parameter and key not in keys:
            default = _literal(parameter.default)
        meaning = texts.get(key) or file.comments.get(f"{prefix}{key}", "")
        yield key, kind, "required" if default == "???" else default, _sentences(meaning)


def _program(name: str, file: YamlFile, schema: type, conf: Path) -> str:
    command = re.search(r"`(python [^`]+)` runs", file.header)
    assert command, f"the header of {name}.yaml does not say which command it is for"
    own = [row for row in field_rows(schema) if not (conf / row[0].partition(".")[0]).is_dir()]
    elsewhere = tuple(f"{key}." for key, _, default, _ in own if default == "null")  # the fields of another group
    rows = [
        (
            key,
            kind,
            file.values.get(key, default).removeprefix("???") or "required",
            meaning or file.comments.get(key, ""),
        )
        for key, kind, default, meaning in own
        if key not in file.choices and not key.startswith(elsewhere)
    ]
    chosen = ", ".join(f"`{group}={choice}`" for group, choice in file.choices.items() if choice != "null")
    return f"## `{command[1]}`\n\n{file.header}\n\nDefaults: {chosen}\n\n{_table(TITLES, rows)}"


def _group(group: str, programs: Iterable[type], conf: Path) -> str:
    files = {path.stem: read_yaml(path) for path in sorted((conf / group).glob("*.yaml"))}
    if not files:
        return ""
    schemas = list(dict.fromkeys([*_annotated(group, programs), *map(_schema, filter(_has_schema, files.values()))]))
    parts = [f"## `{group}`\n", _choices(files)]
    for schema in schemas:
        rows = list(field_rows(schema, f"{_dotted(group)}."))
        if len(files) == 1:
            rows = [_with_values(row, next(iter(files.values())), _dotted(group)) for row in rows]
        users = [name for name, file in files.items() if _has_schema(file) and _schema(file) is schema]
        heading = f"### Fields of {_listed(users)}\n\n" if users else ""
        parts.append(f"{heading}{_table(TITLES, [row for row in rows if not _is_choice(row, conf)])}")
    for name, file in files.items():
        for prefix in _targets(file):
            rows = list(target_rows(file, prefix))
            if not any(kind for _, kind, _, _ in rows):  # of a library, which documents its arguments itself
                table = _table(("field", "value", "why"), [(key, value, why) for key, _, value, why in rows])
            else:
                table = _table(TITLES, rows)
            heading = f"`{group}={name}`" + (f": `{prefix[:-1]}`" if prefix else "")
            parts.append(f"### {heading}\n\n`{file.values[f'{prefix}_target_']}`\n\n{table}")
    return "\n".join(parts)


def _choices(files: Mapping[str, YamlFile]) -> str:
    rows = []
    for name, file in files.items():
        values = {} if _targets(file) else {key: value for key, value in file.values.items() if value}
        settings = ", ".join(f"`{key}: {value}`" for key, value in values.items() if key not in ("defaults", "name"))
        taken = ", ".join(f"`{group}={choice}`" for group, choice in file.choices.items())
        rows.append((name, file.header, "; ".join(part for part in (taken, settings) if part)))
    return _table(("choice", "what", "sets"), rows)


def _with_values(row: Row, file: YamlFile, prefix: str) -> Row:
    key, kind, default, meaning = row
    name = key.removeprefix(f"{prefix}.")
    return key, kind, file.values.get(name, default), _sentences(meaning, file.comments.get(name, ""))


def _groups(conf: Path) -> list[str]:
    folders = [path.relative_to(conf).as_posix() for path in sorted(conf.rglob("*")) if path.is_dir()]
    return [folder for folder in folders if folder not in NOT_SHOWN]


def _annotated(group: str, programs: Iterable[type]) -> Iterator[type]:
    """The schemas of a group; not those of programs that take a part of what another one takes."""
    shown: set[str] = set()
    for program in programs:
        found = _dataclass(get_type_hints(program).get(group))
        if found and not {item.name for item in fields(found)} <= shown:
            shown |= {item.name for item in fields(found)}
            yield found


def _targets(file: YamlFile) -> list[str]:
    """Prefixes of the nodes that name a `_target_`: empty for the file itself."""
    return [key.removesuffix("_target_") for key in file.values if key.rpartition(".")[2] == "_target_"]


def _has_schema(file: YamlFile) -> bool:
    return bool(file.schemas)


def _schema(file: YamlFile) -> type:
    found = OmegaConf.get_type(ConfigStore.instance().load(f"{file.schemas[0]}.yaml").node)
    assert found is not None
    return found


def _is_choice(row: Row, conf: Path) -> bool:
    """Whether a field is filled by a choice of a group below, such as `sampler.schedule`, and has no type itself."""
    return row[1] == "Any" and (conf / row[0].replace(".", "/")).is_dir()


def _meanings(schema: type) -> dict[str, str]:
    target = next((item.default for item in fields(schema) if item.name == "_target_"), None)
    return (described(get_object(target)) if isinstance(target, str) else {}) | described(schema)


def _dataclass(hint: Any) -> type | None:
    found = [part for part in (hint, *get_args(hint)) if isinstance(part, type) and is_dataclass(part)]
    return found[0] if found else None


def _default(item: "Field[Any]") -> str:
    value = item.default_factory() if item.default_factory is not MISSING else item.default
    if value is omegaconf.MISSING or value is MISSING:
        return "required"
    return "" if is_dataclass(value) else _literal(value)


def _literal(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return "required"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_literal(part)}' for key, part in value.items())}}}"
    return "null" if value is None else str(value)


def _type(hint: Any) -> str:
    if get_origin(hint) in (Union, types.UnionType):
        return " | ".join("null" if part is type(None) else _type(part) for part in get_args(hint))
    if get_origin(hint) in (list, tuple, dict):
        return f"{get_origin(hint).__name__}[{', '.join(map(_type, get_args(hint)))}]"
    return getattr(hint, "__name__", str(hint))


def _mapping(file: YamlFile, prefix: str) -> str:
    """The values below a key on one line; nothing where it has none."""
    below = {key.removeprefix(prefix): value for key, value in file.values.items() if key.startswith(prefix)}
    return f"{{{', '.join(f'{key}: {value}' for key, value in below.items())}}}" if below else ""


def _annotation(annotation: Any) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    if get_origin(annotation) is None and hasattr(annotation, "__name__"):
        return str(annotation.__name__)
    return re.sub(r"\b(?:\w+\.)+", "", str(annotation)).replace("NoneType", "null").replace("None", "null")


def _sentences(*texts: str) -> str:
    return ". ".join(text.rstrip(".") for text in dict.fromkeys(texts) if text)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _dotted(group: str) -> str:
    return group.replace("/", ".")


def _train_first(path: Path) -> tuple[bool, str]:
    return path.stem != "train", path.stem


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles, cells = list(titles), [[_cell(*pair) for pair in enumerate(row)] for row in rows]
    if not cells:
        return ""
    lines = [titles, ["---"] * len(titles), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(column: int, text: str) -> str:
    text = text.replace("\n", " ")
    if not text or (column and " " in text and not text.startswith(("[", "{", "$", '"'))) or "`" in text:
        return text.replace("|", "\\|")
    return f"`{text}`".replace("|", "\\|")
