"""Export a trained encoder as a folder for sentence-transformers, transformers and evaluate.py.

python -m hybrid_ir export checkpoint=outputs/NAME/TIME out=my_model          what train.py made
python -m hybrid_ir export checkpoint=FILE.ckpt out=my_model onnx=true        with an ONNX graph
python -m hybrid_ir export checkpoint=FILE.ckpt out=my_model push=ORG/NAME    and upload it
"""

import re
from dataclasses import dataclass
from pathlib import Path

import hydra
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from omegaconf import DictConfig

from hybrid_ir.config.programs import PathsConfig
from hybrid_ir.config.rules.common_rules import check_values
from hybrid_ir.encoder.build import find_checkpoint
from hybrid_ir.export.export_folder import check_target, export
from hybrid_ir.export.onnx import check_onnx
from hybrid_ir.export.push import Upload
from hybrid_ir.launch.cli import entry_point

LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


@dataclass
class ExportConfig:
    """The configuration of the command, see conf/export.yaml."""

    name: str
    checkpoint: str
    out: str
    overwrite: bool
    onnx: bool
    license: str | None
    push: str | None
    private: bool
    paths: PathsConfig


def check_export(cfg: DictConfig) -> None:
    """Check the configuration of an export.

    Raises:
        ValueError: a value is missing or invalid, such as the repository's name in `push` or the `license`.
    """
    check_values(cfg, ExportConfig)
    if cfg.push is not None:
        try:
            validate_repo_id(cfg.push)
        except HFValidationError as error:
            raise ValueError(f"push={cfg.push} is not the name of a repository: {error}") from None
        if "/" not in cfg.push:
            raise ValueError(f"push={cfg.push} has no owner; write push=ORG/{cfg.push}")
    if cfg.license is not None and not LICENSE.fullmatch(cfg.license):
        raise ValueError(
            f"license={cfg.license!r} is not an identifier of the hub, such as mit, apache-2.0, cc-by-sa-4.0 or other "
            "(lower case, no spaces; https://huggingface.co/docs/hub/repositories-licenses)"
        )


@entry_point
@hydra.main(config_path="../../conf", config_name="export", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_export(cfg)
    out, checkpoint = Path(cfg.out), find_checkpoint(Path(cfg.checkpoint))
    check_target(out, cfg.overwrite)
    if cfg.onnx:
        check_onnx()
    upload = Upload(cfg.push, cfg.private, cfg.overwrite) if cfg.push else None
    if upload is not None:
        upload.check()
    export(checkpoint, out, cfg.push or out.resolve().name, cfg.license, cfg.onnx, cfg.overwrite)
    print(f"{checkpoint} is exported to {out}")
    if upload is not None:
        print(f"uploaded to {upload.send(out)}")


if __name__ == "__main__":
    main()
