"""CITATION.cff and CHANGELOG.md have the form that their readers expect."""

import re

import yaml

from hybrid_ir import __version__
from tests.pages import REPOSITORY

CITATION = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
CHANGELOG = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
KNOWN = {  # of the Citation File Format 1.2.0; the first four are required
    "cff-version", "message", "title", "authors", "abstract", "commit", "contact", "date-released", "doi",
    "identifiers", "keywords", "license", "license-url", "preferred-citation", "references", "repository",
    "repository-artifact", "repository-code", "type", "url", "version",
}  # fmt: skip


def test_the_citation_is_valid_and_names_the_project_and_the_paper() -> None:
    assert {"cff-version", "message", "title", "authors"} <= CITATION.keys() <= KNOWN
    assert (CITATION["cff-version"], CITATION["type"], CITATION["license"]) == ("1.2.0", "software", "MIT")
    assert str(CITATION["version"]) == __version__
    (author,), (paper,) = CITATION["authors"], CITATION["references"]
    licence = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert licence.startswith("MIT License") and f"Copyright (c) 2026 {author['name']}" in licence
    assert {"type", "title", "authors", "year", "url"} <= paper.keys() and "2408.10536" in paper["url"]
    assert [one["family-names"] for one in paper["authors"]] == ["Elmahdy", "Lin", "Ahmad"]
    assert all({*one} == {"type", "value"} and one["type"] in ("doi", "url", "other") for one in paper["identifiers"])


def test_the_changelog_keeps_its_form() -> None:
    assert CHANGELOG.startswith("# Changelog\n")
    releases = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    assert not [name for name in releases[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", name)]
    kinds = re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    entries = CHANGELOG.partition("## [Unreleased]")[2]
    assert all(re.match(r"(- |  |#|$|\[)", line) for line in entries.splitlines())
