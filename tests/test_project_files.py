"""CITATION.cff and CHANGELOG.md have the form that their readers expect."""

import re

import yaml

from hybrid_ir import __version__
from tests.pages import REPOSITORY

CITATION = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
CHANGELOG = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
# Of the Citation File Format 1.2.0.
REQUIRED, REQUIRED_OF_REFERENCE = {"cff-version", "message", "title", "authors"}, {"type", "title", "authors"}
KNOWN = REQUIRED | {
    "abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license", "license-url",
    "preferred-citation", "references", "repository", "repository-artifact", "repository-code", "type", "url",
    "version",
}  # fmt: skip
PERSON = {"family-names", "given-names", "name-particle", "name-suffix", "affiliation", "orcid", "email", "alias"}


def check_authors(authors: list[dict[str, str]]) -> None:
    assert authors
    for author in authors:
        assert (author.keys() <= PERSON and "family-names" in author) or set(author) == {"name"}


def test_the_citation_is_valid() -> None:
    assert REQUIRED <= CITATION.keys() <= KNOWN
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] in ("software", "dataset")
    assert str(CITATION["version"]) == __version__
    assert CITATION["license"] == "MIT" and (REPOSITORY / "LICENSE").read_text().startswith("MIT License")
    check_authors(CITATION["authors"])
    assert all(isinstance(word, str) for word in CITATION["keywords"])


def test_the_project_is_cited_as_it_signs_itself() -> None:
    (author,) = CITATION["authors"]
    assert f"Copyright (c) 2026 {author['name']}" in (REPOSITORY / "LICENSE").read_text()


def test_the_paper_is_among_the_references() -> None:
    (paper,) = CITATION["references"]
    assert paper.keys() >= REQUIRED_OF_REFERENCE and isinstance(paper["year"], int)
    check_authors(paper["authors"])
    assert [author["family-names"] for author in paper["authors"]] == ["Elmahdy", "Lin", "Ahmad"]
    for identifier in paper["identifiers"]:
        assert identifier["type"] in ("doi", "url", "swh", "other") and identifier["value"]
    assert "2408.10536" in paper["url"] and "doi" not in paper


def test_the_changelog_keeps_its_form() -> None:
    assert CHANGELOG.startswith("# Changelog\n")
    releases = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    assert not [name for name in releases[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", name)]
    kinds = re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    entries = CHANGELOG.partition("## [Unreleased]")[2]
    assert all(re.match(r"(- |  |#|$|\[)", line) for line in entries.splitlines())
