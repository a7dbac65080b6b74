"""Checks of configured names that become parts of paths, so that no name leads out of its folder."""

from collections.abc import Iterator

from omegaconf import DictConfig, ListConfig, OmegaConf

IN_PATHS = ("name", "languages", "language", "split")  # of corpora and benchmarks: `{language}.json`, `{name}.trec`


def check_part(key: str, value: str) -> None:
    """Check that a value is a single part of a path.

    Raises:
        ValueError: it is empty, `.` or `..`, or contains a slash, backslash or NUL character.
    """
    if value in ("", ".", "..") or set(value) & set("/\\\0"):
        raise ValueError(f"{key} is {value!r}; it becomes part of a file name and must not be a path")


def check_run_name(name: str) -> None:
    """Check that a run's name is a path below `paths.outputs`, such as `group/name`.

    Raises:
        ValueError: it is an absolute path, or contains an empty part, `.` or `..`.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise ValueError(f"name is {name!r}; it must be a folder below paths.outputs, such as group/name")


def check_names(cfg: DictConfig) -> None:
    """Check that names, languages and splits of corpora and benchmarks are not paths.

    Raises:
        ValueError: one is. Names the field.
    """
    for group in ("data.corpora", "data.validation.corpora", "eval.benchmarks"):
        for name, source in (OmegaConf.select(cfg, group) or {}).items():
            for key, value in _parts(source):
                check_part(f"{group}.{name}.{key}", value)


def _parts(source: DictConfig) -> Iterator[tuple[str, str]]:
    for key in IN_PATHS:
        value = source.get(key)
        for part in value if isinstance(value, ListConfig) else [value]:
            if isinstance(part, str):
                yield key, part
