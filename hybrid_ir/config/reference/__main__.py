"""Writes docs/configuration.md anew: `python -m hybrid_ir.config.reference`."""

from pathlib import Path

from hybrid_ir.config.reference.page import page
from hybrid_ir.config.schemas.register import register

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = REPOSITORY / "docs" / "configuration.md"


def main() -> None:
    """Write the page; the same configuration gives the same bytes."""
    register()
    PAGE.write_text(page(REPOSITORY / "conf"), encoding="utf-8")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
