"""Times embedding with our `TextEncoder.encode` and sentence-transformers' `encode`, on the same texts and model.

The texts are the distinct sentences of XQuAD-R if its files exist (`$HYBRID_IR_SHARED/data`), else synthetic ones of
mixed lengths. The model is any folder that both load, by default a BERT of 12 layers and 384 dimensions with random
weights, which take the same time. Both tokenise and embed all texts in each repetition, alternating, so that other work
on the machine affects both alike. Vectors must be equal to 1e-5.

    python -m benchmarks.embedding [--model DIR] [--texts 2000] [--repeat 5] [--threads 1] [--batch 32] [--device cpu]
"""

import argparse
import os
import platform
import random
import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import transformers
from torch import Tensor

from benchmarks.scoring import seconds
from hybrid_ir.encoder.build import build_encoder
from hybrid_ir.encoder.model_config import ModelConfig, ScratchConfig
from hybrid_ir.evaluation.benchmarks.lareqa import load_lareqa

LENGTH = 256  # length limit in tokens, for both


def sentences(count: int) -> tuple[str, list[str]]:
    """The source of the texts, and at most `count` distinct ones in a seeded random order."""
    root = Path(os.environ.get("HYBRID_IR_SHARED", ".")) / "data"
    source = random.Random(0)
    if (root / "xquad_r").is_dir():
        name, texts = "XQuAD-R sentences", sorted(set(load_lareqa("xquad_r", root).passages.texts))
    else:
        name = "made-up texts"
        words = ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(2, 9))) for _ in range(20_000)]
        lengths = [min(int(source.lognormvariate(3, 0.6)) + 1, 200) for _ in range(count)]
        texts = [f"{number} {' '.join(source.choices(words, k=size))}" for number, size in enumerate(lengths)]
    source.shuffle(texts)
    return name, texts[:count]


def random_model(texts: list[str], folder: Path) -> Path:
    """A folder with a BERT of 12 layers and 384 dimensions, and a vocabulary of the texts."""
    shape = ScratchConfig(hidden_size=384, layers=12, heads=12, vocab_size=30_000, max_positions=LENGTH + 2)
    torch.manual_seed(0)
    encoder = build_encoder(ModelConfig(scratch=shape), lambda: texts, folder / "cache")
    encoder.backbone.save_pretrained(folder / "model")
    encoder.tokenizer.tokenizer.save_pretrained(folder / "model")
    return folder / "model"


def systems(model: Path, device: str, batch: int) -> dict[str, Callable[[list[str]], Tensor]]:
    """Name -> function from texts to unit vectors on the CPU."""
    from sentence_transformers import SentenceTransformer, __version__

    config = ModelConfig(name_or_path=str(model), max_query_length=LENGTH, max_passage_length=LENGTH)
    ours = build_encoder(config, list, model).to(device)
    theirs = SentenceTransformer(str(model), device=device)
    theirs.max_seq_length = LENGTH

    def encode(texts: list[str]) -> Tensor:
        vectors: Tensor = theirs.encode(
            texts, batch_size=batch, convert_to_tensor=True, normalize_embeddings=True, show_progress_bar=False
        )
        return vectors.float().cpu()

    return {"hybrid_ir": lambda texts: ours.encode(texts, "passage"), f"sentence-transformers {__version__}": encode}


def take_turns(
    both: Mapping[str, Callable[[list[str]], Tensor]], texts: list[str], repeat: int, device: str
) -> dict[str, list[float]]:
    """Seconds of every repetition by system, the systems alternating."""
    times: dict[str, list[float]] = {system: [] for system in both}
    for _ in range(repeat):
        for system, encode in both.items():
            times[system].append(seconds(lambda encode=encode: encode(texts), device))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, help="a folder with mean pooling; random weights by default")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batch", type=int, default=32, help="texts of a forward of sentence-transformers")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    name, texts = sentences(options.texts)
    with tempfile.TemporaryDirectory() as folder:
        both = systems(options.model or random_model(texts, Path(folder)), options.device, options.batch)
    ours, theirs = both.values()
    difference = float((ours(texts[:256]) - theirs(texts[:256])).abs().max())
    assert difference < 1e-5, f"the vectors differ by up to {difference:.1e}"
    times = take_turns(both, texts, options.repeat, options.device)
    ratios = [slow / fast for fast, slow in zip(*times.values(), strict=True)]
    print("| system | median s | fastest s | texts a second, median |\n|---|---:|---:|---:|")
    for system, found in times.items():
        median = statistics.median(found)
        print(f"| {system} | {median:.2f} | {min(found):.2f} | {len(texts) / median:.1f} |")
    print(
        f"\n{len(texts)} {name}, {options.model or 'random weights, 12 x 384'}, {options.device}, "
        f"{platform.machine()}, torch {torch.__version__}, {options.threads} threads: "
        f"hybrid_ir is {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f} over "
        f"{options.repeat} repetitions); vectors differ by at most {difference:.0e}"
    )


if __name__ == "__main__":
    main()
