"""Every call that reads what somebody else may have made is the guarded one; and everything from the hub is pinned."""

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from hybrid_ir.config import signatures, stored_configs
from hybrid_ir.config.stored_configs import KNOWN_TARGETS
from hybrid_ir.data.readers import mmarco, squad_xtreme
from hybrid_ir.data.store.availability import CODES, PATTERNS, Availability
from hybrid_ir.evaluation.benchmarks.lareqa import LAREQA_PINS
from hybrid_ir.sources.cldr.relations import territories
from hybrid_ir.sources.formats import miracl_files as miracl
from hybrid_ir.sources.hub.repository import MODEL_PINS
from tests.commands import REPOSITORY
from tests.security.conftest import Payload

PACKAGE = REPOSITORY / "hybrid_ir"


def test_the_payload_works(proof: Path) -> None:
    pickle.loads(pickle.dumps(Payload(proof)))
    assert proof.exists()


def test_a_built_corpus_with_a_payload_is_refused(tmp_path: Path, proof: Path) -> None:
    for name in (PATTERNS, CODES):
        np.save(tmp_path / name, np.array([Payload(proof)], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Availability.load(tmp_path)
    assert not proof.exists()


def test_every_exception_is_of_a_file_that_exists() -> None:
    assert [file for files in ONLY_IN.values() for file in files if not (PACKAGE / file).is_file()] == []


def test_everything_from_the_hub_is_pinned_to_a_commit() -> None:
    revisions = [
        mmarco.REVISION, squad_xtreme.TRANSLATIONS_REVISION, squad_xtreme.ENGLISH_REVISION,
        miracl.CORPUS.revision, miracl.TOPICS.revision, *MODEL_PINS.values(),
    ]  # fmt: skip
    tables = {file.stem: yaml.safe_load(file.read_text()) for file in (REPOSITORY / "conf" / "data").glob("*.yaml")}
    pins = {name: table["revision"] for name, table in tables.items() if "revision" in table}
    assert pins.pop("pair_table") == "???" and pins.pop("wikiqa") == "3f10467", "no more digits could be looked up"
    assert len(pins) == 5 and all(re.fullmatch("[0-9a-f]{40}", revision) for revision in [*revisions, *pins.values()])
    for files in LAREQA_PINS.values():
        assert files.url.startswith("https://") and re.search("/[0-9a-f]{40}/", files.url)
        assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in files.sha256.values())


UNPINNED = {"google-bert/bert-base-multilingual-cased"}  # no commit of it could be looked up


def test_models_of_the_hub_are_pinned() -> None:
    files = sorted((REPOSITORY / "conf" / "model").glob("*.yaml"))
    names = {name for file in files if (name := yaml.safe_load(file.read_text()).get("name_or_path"))}
    assert names - UNPINNED == set(MODEL_PINS)


# A call, and what must be in it for it to be allowed; None for never. Names without a dot are methods of anything.
CALLS: dict[str, str | None] = {
    "torch.load": "weights_only=True",
    "np.load": "allow_pickle=False",
    "from_pretrained": "trust_remote_code=False",
    "from_config": "trust_remote_code=False",
    "SentenceTransformer": "trust_remote_code=False",
    "load_dataset": "trust_remote_code=False",
    **dict.fromkeys(
        ("pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load", "dill.load", "dill.loads",
         "cloudpickle.loads", "marshal.loads", "marshal.load", "shelve.open", "eval", "exec", "compile", "__import__",
         "os.system", "os.popen",
         "os.execv", "os.remove", "os.removedirs", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "extractall",
         "load_from_checkpoint", "get_filesystem", "url_to_fs", "rm", "read_feather", "pd.read_pickle"),
        None,
    ),
    # Where foreign files or names are opened: only in the files of ONLY_IN.
    **dict.fromkeys(
        ("subprocess.run", "import_module", "get_object", "for_model", "cached_file", "snapshot_download", "urlopen",
         "read_index", "shutil.rmtree", "open_file", "open_stream", "memory_map", "read_table", "ParquetFile",
         "json.load", "json.loads", "OmegaConf.load", "np.memmap", "safe_open", "load_file", "mmap.mmap"),
        None,
    ),
}  # fmt: skip
ONLY_IN: dict[str, dict[str, str]] = {  # call: file -> why it may there
    "pickle.loads": {"sources/cldr/relations/territories.py": "a file of the installed library Babel"},
    "subprocess.run": {"launch/provenance.py": "git, with words of this package"},
    "import_module": {
        "__init__.py": "the table of public names", "export/onnx.py": "names of libraries in this package",
        "evaluation/measures/measures.py": "files of this package",
    },
    "get_object": {
        "config/signatures.py": "names of the own configuration; of stored ones those of KNOWN_TARGETS",
    },
    "for_model": {"encoder/text_encoder.py": "names of TEXT_ENCODERS, without the hub"},
    "cached_file": dict.fromkeys(
        ("sources/hub/model_guard.py", "encoder/loading/sentence_layout.py", "encoder/forward/pooling.py"),
        "by hub_source",
    ),
    "snapshot_download": {"sources/hub/repository.py": "after guard_hub"},
    "urlopen": {"sources/hub/fetch.py": "bounded, and by checksum where one is known"},
    "read_index": {"search/index/approximate.py": "only if the user asks for backend=faiss"},
    "shutil.rmtree": {
        "sources/atomic.py": "drafts of its own", "data/store/storage.py": "drafts of its own",
        "launch/sweep_job.py": "after check_before_writing",
    },
    "open_file": {"sources/arrow_check.py": "checked"},
    "open_stream": {"data/store/mapped.py": "check_batches", "data/writer.py": "its own spool"},
    "memory_map": {"sources/arrow_check.py": "checked", "data/writer.py": "its own spool"},
    "read_table": dict.fromkeys(
        ("evaluation/results/per_query.py", "reports/contribution_files.py"), "checked_table"
    ),
    "ParquetFile": dict.fromkeys(
        ("sources/formats/passages.py", "sources/formats/parquet_rows.py"), "rows are checked"
    ),
    "json.load": {},
    "json.loads": {
        "sources/json_file.py": "the guard itself", "sources/formats/lines.py": "bounded lines",
        "sources/formats/squad_file.py": "the same faults, with its own messages",
        "evaluation/vectors/passage_block.py": "128 bytes", "evaluation/results/per_query.py": "in a checked table",
        "evaluation/benchmarks/subset.py": "the own cache", "leakage/overlaps.py": "the own cache",
        "encoder/tokenization.py": "text of a loaded tokenizer", "search/index/reference.py": "what was just written",
        "search/index/build_index.py": "what was just written", "export/export_folder.py": "what was just written",
        "reports/paper.py": "a file of this package", "reports/wandb/workspace.py": "an object of the library",
    },
    "OmegaConf.load": {},
    "np.memmap": {"evaluation/vectors/passage_block.py": "by its header, which is checked"},
    "safe_open": {"evaluation/vectors/vector_cache.py": "safetensors, with its checksum"},
    "load_file": dict.fromkeys(("search/index/index_folder.py", "encoder/forward/pooling.py"), "safetensors"),
    "mmap.mmap": {"data/store/mapped.py": "check_batches", "sources/formats/tsv.py": "plain lines"},
}  # fmt: skip
ARGUMENTS = (
    "allow_pickle=True", "trust_remote_code=True", "weights_only=False", "use_safetensors=False", "shell=True",
    "verify=False", "unsafe=True",
)  # fmt: skip


def faults(source: str) -> Iterator[tuple[str, str]]:
    """A forbidden call or argument, and the whole call."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        call, name = ast.unparse(node), ast.unparse(node.func)
        for forbidden, needed in CALLS.items():
            meant = name == forbidden or ("." not in forbidden and "." in name and name.split(".")[-1] == forbidden)
            meant = meant if forbidden not in ("eval", "compile") else name == forbidden
            if meant and (needed is None or needed not in call):
                yield forbidden, call
        yield from ((argument, call) for argument in ARGUMENTS if argument in call)


def test_every_load_of_the_package_goes_through_the_guards() -> None:
    planted = "AutoModel.from_pretrained(x)\ntorch.load(f, weights_only=False)\neval('1')\nfs.rm(p)\nnp.load(f)"
    assert len(list(faults(planted))) == 6
    found = [
        (where, call)
        for path in sorted(PACKAGE.rglob("*.py"))
        for forbidden, call in faults(path.read_text(encoding="utf-8"))
        if (where := path.relative_to(PACKAGE).as_posix()) not in ONLY_IN.get(forbidden, {})
    ]
    assert found == []


def test_nothing_that_runs_code_is_imported_under_another_name() -> None:
    modules = ("pickle", "dill", "marshal", "shelve", "fsspec", "ctypes", "importlib")
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [
                (path.relative_to(PACKAGE).as_posix(), ast.unparse(node))
                for name in named
                if name.split(".")[0] in modules
                and ast.unparse(node) not in ("from pickle import UnpicklingError",)
                and not ast.unparse(node).startswith(("from importlib.resources", "from importlib.metadata"))
            ]
    assert found == [
        ("__init__.py", "from importlib import import_module"),
        ("evaluation/measures/measures.py", "from importlib import import_module"),
        ("export/onnx.py", "from importlib import import_module"),
        (Path(territories.__file__).relative_to(PACKAGE).as_posix(), "import pickle"),
        ("training/gradient_cache.py", "import ctypes"),
    ]


def test_the_table_of_targets_is_what_the_configuration_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stored configuration names besides is not imported."""
    named = {
        target
        for file in (REPOSITORY / "conf").rglob("*.yaml")
        for target in re.findall(r"_target_: (hybrid_ir\.[\w.]+)", file.read_text(encoding="utf-8"))
    }
    assert named - KNOWN_TARGETS == {"hybrid_ir.launch.sweep_callback.SweepCallback"}
    imported: list[str] = []
    monkeypatch.setattr(signatures, "get_object", lambda target: imported.append(target))
    for target in ("hybrid_ir.__main__.main", "hybrid_ir.reporting.__main__", "hybrid_ir.x.y", "os.system"):
        given = {"sampler": {}, "loss": {"_target_": target, "a": 1}}
        assert stored_configs.with_defaults(given)["loss"]["a"] == 1
    assert imported == []


def test_babel_is_asked_for_files_of_its_own_alone() -> None:
    """The one pickle that is read is found by Babel, which takes the last part of a name."""
    from babel import localedata

    own = Path(localedata.resolve_locale_filename("de")).parent
    assert Path(localedata.resolve_locale_filename("../../evil")).parent == own
    assert not [locale for locale in territories._locales().values() if "/" in locale or "." in locale]
