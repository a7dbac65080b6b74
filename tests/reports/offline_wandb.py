"""Reads back what W&B wrote offline. The package has no reader for its own files any more."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wandb
from wandb.proto.wandb_internal_pb2 import Record

MAGIC, BLOCK = 7, 32 * 1024
FULL, FIRST, LAST = 1, 2, 4


@dataclass
class OfflineRun:
    """One `offline-run-*` folder: what `wandb sync` would send."""

    folder: Path
    config: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    rows: list[dict[str, Any]] = field(default_factory=list)
    axes: dict[str, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    artifacts: dict[str, dict[str, Path]] = field(default_factory=dict)

    @property
    def curves(self) -> dict[str, list[float]]:
        """Every scalar, in the order of the rows that have it."""
        curves: dict[str, list[float]] = {}
        for row in self.rows:
            for name, value in row.items():
                if isinstance(value, int | float):
                    curves.setdefault(name, []).append(value)
        return curves

    def media(self, key: str) -> list[str]:
        """Contents of the files of a table, chart or page, a row each."""
        paths = [row[f"{key}.path"] for row in self.rows if f"{key}.path" in row]
        return [(self.folder / "files" / path).read_text(encoding="utf-8") for path in paths]


def read_offline(run: Path) -> OfflineRun:
    """The single offline W&B run in a run's folder."""
    wandb.teardown()  # a finished run may still be on its way to the disk; this waits for W&B's service to end
    (folder,) = (run / "wandb").glob("offline-run-*")
    (path,) = folder.glob("*.wandb")
    found = OfflineRun(folder)
    for record in _records(path.read_bytes()):
        for update in (*record.config.update, *record.run.config.update):
            found.config[_key(update)] = json.loads(update.value_json)
        for update in record.summary.update:
            found.summary[_key(update)] = json.loads(update.value_json)
        if record.run.tags:
            found.tags = tuple(record.run.tags)
        if record.history.item:
            found.rows.append({_key(item): json.loads(item.value_json) for item in record.history.item})
        if record.metric.name or record.metric.glob_name:
            found.axes[record.metric.name or record.metric.glob_name] = record.metric.step_metric
        if record.artifact.name:
            files = {item.path: Path(item.local_path) for item in record.artifact.manifest.contents}
            found.artifacts[record.artifact.name] = files
    return found


def _key(item: Any) -> str:
    return item.key or ".".join(item.nested_key)


def _records(data: bytes) -> Iterator[Record]:
    """LevelDB's log format: 32 KiB blocks of (checksum, length, kind, part of a record)."""
    position, body = MAGIC, b""
    while position + 7 <= len(data):
        if BLOCK - position % BLOCK < 7:  # no room for a header: padding up to the next block
            position += BLOCK - position % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        part = data[position + 7 : position + 7 + length]
        position += 7 + length
        body = part if kind in (FULL, FIRST) else body + part
        if kind in (FULL, LAST):
            record = Record()
            record.ParseFromString(body)
            yield record
