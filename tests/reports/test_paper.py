"""The published numbers: complete, and with the averages that the paper prints."""

import pytest

from hybrid_ir.reports.paper import published, published_languages, published_unseen

HEADLINE = {  # monolingual, cross-lingual and multilingual mAP, rank distance; the paper's headline table
    ("xquad_r", "xlmr", "mono"): (0.792, 0.674, 0.547, 410),
    ("xquad_r", "xlmr", "cross"): (0.755, 0.700, 0.593, 295),
    ("xquad_r", "xlmr", "hybrid"): (0.798, 0.705, 0.593, 287),
    ("xquad_r", "labse", "mono"): (0.808, 0.752, 0.652, 262),
    ("xquad_r", "labse", "cross"): (0.801, 0.762, 0.679, 225),
    ("xquad_r", "labse", "hybrid"): (0.817, 0.767, 0.682, 221),
    ("mlqa_r", "xlmr", "mono"): (0.648, 0.584, 0.473, 288),
    ("mlqa_r", "xlmr", "cross"): (0.626, 0.620, 0.508, 227),
    ("mlqa_r", "xlmr", "hybrid"): (0.648, 0.623, 0.512, 227),
    ("mlqa_r", "labse", "mono"): (0.681, 0.656, 0.550, 225),
    ("mlqa_r", "labse", "cross"): (0.671, 0.677, 0.576, 198),
    ("mlqa_r", "labse", "hybrid"): (0.686, 0.681, 0.579, 195),
}


MIRACL = {  # nDCG@10 and recall@100 over 15 languages: neither English nor German nor Yoruba
    ("xlmr", "mono"): (0.4148, 0.7683),
    ("xlmr", "cross"): (0.3993, 0.7487),
    ("xlmr", "hybrid"): (0.4054, 0.7628),
    ("labse", "mono"): (0.4551, 0.8120),
    ("labse", "cross"): (0.4184, 0.7768),
    ("labse", "hybrid"): (0.4411, 0.7954),
}


def test_means_on_miracl_are_the_papers() -> None:
    for system in published("miracl"):
        found = [system.macro(f"miracl/monolingual/{measure}") for measure in ("ndcg@10", "recall@100")]
        assert found == pytest.approx(MIRACL[system.backbone, system.sampler], abs=1e-4)


@pytest.mark.parametrize("benchmark", ["xquad_r", "mlqa_r"])
def test_means_over_languages_are_the_papers(benchmark: str) -> None:
    systems = {(benchmark, system.backbone, system.sampler): system for system in published(benchmark)}
    assert systems.keys() == {key for key in HEADLINE if key[0] == benchmark}
    for key, system in systems.items():
        *shares, distance = HEADLINE[key]
        for setting, expected in zip(("monolingual", "crosslingual", "multilingual"), shares, strict=True):
            assert system.macro(f"{benchmark}/{setting}/map") == pytest.approx(expected, abs=0.0011)
        assert system.macro(f"{benchmark}/rank_distance") == pytest.approx(distance, abs=0.6)


@pytest.mark.parametrize(("benchmark", "count"), [("xquad_r", 11), ("mlqa_r", 7), ("miracl", 15), ("cldr", 0)])
def test_every_row_has_every_language(benchmark: str, count: int) -> None:
    languages, systems = published_languages(benchmark), published(benchmark)
    assert len(languages) == count and len(systems) == (6 if count else 0)
    assert all(tuple(row) == languages for system in systems for row in system.values.values())


def test_unseen_languages_are_those_that_the_paper_names() -> None:
    assert [published_unseen(name) for name in ("xquad_r", "mlqa_r", "cldr")] == [("el", "vi"), ("vi",), ()]
