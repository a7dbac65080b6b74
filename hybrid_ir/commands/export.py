"""Exports a trained encoder: `python -m hybrid_ir export checkpoint=PATH out=DIR`.

The folder is loaded by sentence-transformers, by transformers alone and by `evaluate.py checkpoint=DIR`;
`push=ORG/NAME` uploads it.
"""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from hybrid_ir.commands.rules.export_rules import check_export
from hybrid_ir.commands.schemas import register_commands
from hybrid_ir.encoder.build import find_checkpoint
from hybrid_ir.export.export_folder import check_place, export
from hybrid_ir.export.onnx import check_onnx
from hybrid_ir.export.push import Upload
from hybrid_ir.launch.cli import entry_point

register_commands()


@entry_point
@hydra.main(config_path="../../conf", config_name="export", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_export(cfg)
    out, checkpoint = Path(cfg.out), find_checkpoint(Path(cfg.checkpoint))
    check_place(out, cfg.overwrite)
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
