"""Names that become parts of paths cannot lead out of the folder that they are put into."""

from collections.abc import Iterator

from omegaconf import DictConfig, ListConfig, OmegaConf

IN_PATHS = ("name", "languages", "language", "split")  # of corpora and benchmarks: `{language}.json`, `{name}.trec`


def check_part(key: str, value: str) -> None:
    """Refuse what is not a single part of a path.

    Raises:
        ValueError: it is empty, `.` or `..`, or has a slash, a backslash or a NUL character.
    """
    if value in ("", ".", "..") or set(value) & set("/\\\0"):
        raise ValueError(f"{key} is {value!r}; it becomes part of a file name and must not be a path")


def check_run_name(name: str) -> None:
    """Refuse a run's name that leads out of `paths.outputs`; `group/name` is a folder in a folder.

    Raises:
        ValueError: it is an absolute path, or has an empty part, `.` or `..`.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise ValueError(f"name is {name!r}; it names a folder below paths.outputs and cannot lead out of it")


def check_names(cfg: DictConfig) -> None:
    """Refuse names of corpora and benchmarks, and languages and splits in them, that are paths.

    Raises:
        ValueError: names the field.
    """
    for group in ("data.corpora", "eval.benchmarks"):
        for name, source in (OmegaConf.select(cfg, group) or {}).items():
            for key, value in _parts(source):
                check_part(f"{group}.{name}.{key}", value)


def _parts(source: DictConfig) -> Iterator[tuple[str, str]]:
    for key in IN_PATHS:
        value = source.get(key)
        for part in value if isinstance(value, ListConfig) else [value]:
            if isinstance(part, str):
                yield key, part
