"""`hybrid_ir` offers its public names without loading what they need before they are used."""

import re
import subprocess
import sys

import pytest

import hybrid_ir
from tests.pages import REPOSITORY, blocks

API = REPOSITORY / "docs" / "api.md"


@pytest.mark.parametrize("name", hybrid_ir.__all__)
def test_public_names_exist_and_are_documented(name: str) -> None:
    module, _, defined_as = hybrid_ir._PUBLIC[name].partition(":")
    assert getattr(hybrid_ir, name) is getattr(sys.modules[module], defined_as or name)
    assert name in dir(hybrid_ir)
    assert f"::: {module}.{defined_as or name}\n" in API.read_text(encoding="utf-8")
    assert any(re.search(rf"\b{name}\b", block.text) for block in blocks(API, "python")), "it has no example"


def test_other_names_do_not_exist() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evaluat'"):
        _ = hybrid_ir.evaluat


def test_importing_the_package_imports_no_torch() -> None:
    program = "import sys, hybrid_ir; assert not {'torch', 'numpy', 'lightning', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True)
