"""Measures the differences between the vectors of an export and its checkpoint, by model, pooling and library.

Every model is written as a checkpoint, exported with its ONNX graph, and loaded by sentence-transformers, by the code
for plain transformers in its card, by onnxruntime, and by the loader of `evaluate.py`. The texts are the distinct
sentences of XQuAD-R if its files exist (`$HYBRID_IR_SHARED/data`), else synthetic ones; each is encoded as query and as
passage, in batches of 32. The table has the largest absolute difference of any coordinate.

    python -m benchmarks.export [--texts 200] [--model DIR ...] [--checkpoint PATH ...] [--threads 1]

Without arguments, the models are a BERT and an XLM-R of 4 layers with random weights, each with every pooling, and each
with adapters. `--model` adds a pretrained folder, with mean and cls pooling; `--checkpoint` adds a trained checkpoint.
"""

import argparse
import re
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import BertConfig, BertModel, PreTrainedModel, XLMRobertaConfig, XLMRobertaModel

from benchmarks.embedding import sentences
from hybrid_ir.encoder.backbone import LoraConfig
from hybrid_ir.encoder.build import build_encoder, find_checkpoint, load_checkpoint_encoder
from hybrid_ir.encoder.loading.published import load_encoder
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, train_tokenizer
from hybrid_ir.export.export_folder import CARD, export
from hybrid_ir.export.onnx import GRAPH, INPUTS, OUTPUT

BATCH, LENGTH = 32, 128
SHAPE = {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 512}
LIBRARIES = ("sentence-transformers", "transformers", "onnxruntime", "evaluate.py")
Encode = Callable[[list[str], str], Tensor]


def random_models(texts: list[str], folder: Path) -> Iterator[tuple[str, TextEncoder]]:
    """Name -> an encoder with random weights and a vocabulary of the texts."""
    tokenizer = train_tokenizer(texts, 8000, folder / "tokenizer.json")
    common: dict[str, Any] = SHAPE | {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    for architecture, pooling, rank in product(("BERT", "XLM-R"), ("mean", "cls", "pooler"), (0, 8)):
        torch.manual_seed(0)
        backbone: PreTrainedModel = BertModel(BertConfig(**common))
        if architecture == "XLM-R":
            backbone = XLMRobertaModel(XLMRobertaConfig(**common, max_position_embeddings=514))
        pieces = TextTokenizer(tokenizer, "query: ", "passage: ", LENGTH, LENGTH)
        encoder = TextEncoder(backbone, pieces, pooling, lora=LoraConfig(rank))
        for name, parameter in encoder.named_parameters():
            if "lora_B" in name or "bias" in name:  # zero in a new model
                torch.nn.init.normal_(parameter, std=0.1)
        yield f"{architecture}, random{', LoRA' if rank else ''}", encoder


def pretrained(folder: str, cache: Path) -> Iterator[tuple[str, TextEncoder]]:
    """The same for a folder."""
    limits = {"max_query_length": LENGTH, "max_passage_length": LENGTH}
    for pooling in ("mean", "cls"):
        config = ModelConfig(
            name_or_path=folder, pooling=pooling, query_prefix="query: ", passage_prefix="passage: ", **limits
        )
        yield Path(folder).name, build_encoder(config, tuple, cache)


def write_checkpoint(encoder: TextEncoder, path: Path) -> Path:
    state = {f"encoder.{key}": value for key, value in encoder.state_dict().items()}
    content = {"state_dict": state, "encoder_blueprint": encoder.blueprint(), "hyper_parameters": {}, "global_step": 0}
    torch.save(content, path)
    return path


def readers(folder: Path, encoder: TextEncoder) -> dict[str, Encode]:
    """Library -> what encodes with the export at `folder`; `encoder` knows prefixes and limits."""
    import onnxruntime
    from sentence_transformers import SentenceTransformer

    pieces = encoder.tokenizer
    model = SentenceTransformer(str(folder), device="cpu")
    _, block = re.findall(r"```python\n(.*?)```", (folder / CARD).read_text("utf-8"), re.DOTALL)
    plain: dict[str, Any] = {}
    exec(block, plain)
    session = onnxruntime.InferenceSession(folder / GRAPH, providers=["CPUExecutionProvider"])

    def by_sentence_transformers(texts: list[str], kind: str) -> Tensor:
        encode = model.encode_query if kind == "query" else model.encode_document
        return encode(texts, batch_size=BATCH, convert_to_tensor=True)

    def by_transformers(texts: list[str], kind: str) -> Tensor:
        return plain["encode"](texts, pieces.prefixes[kind], pieces.max_lengths[kind])

    def by_onnxruntime(texts: list[str], kind: str) -> Tensor:
        prefixed, longest = [pieces.prefixes[kind] + text for text in texts], pieces.max_lengths[kind]
        tokens = pieces.tokenizer(prefixed, padding=True, truncation=True, max_length=longest, return_tensors="np")
        return torch.from_numpy(session.run([OUTPUT], {name: tokens[name] for name in INPUTS})[0])

    ours = load_encoder(folder).encode
    return dict(zip(LIBRARIES, (by_sentence_transformers, by_transformers, by_onnxruntime, ours), strict=True))


def differences(checkpoint: Path, texts: list[str], folder: Path) -> tuple[str, dict[str, float]]:
    """The pooling of a checkpoint, and library -> the largest difference of its export."""
    export(checkpoint, folder, str(folder), onnx=True, overwrite=True)
    encoder = load_checkpoint_encoder(checkpoint)
    expected = {kind: encoder.encode(texts, kind) for kind in encoder.tokenizer.prefixes}
    found = {}
    for library, encode in readers(folder, encoder).items():
        found[library] = max(
            float((encode(texts[at : at + BATCH], kind) - vectors[at : at + BATCH]).abs().max())
            for kind, vectors in expected.items()
            for at in range(0, len(texts), BATCH)
        )
    return encoder.pooling, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--checkpoint", action="append", default=[])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    source, texts = sentences(options.texts)
    print(f"{len(texts)} {source}\n\n| model | pooling | {' | '.join(LIBRARIES)} |")
    print("|---|---|" + "---:|" * len(LIBRARIES), flush=True)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for label, checkpoint in checkpoints(texts, place, options.model, options.checkpoint):
            pooling, found = differences(checkpoint, texts, place / "out")
            print(f"| {label} | {pooling} | {' | '.join(f'{found[key]:.1e}' for key in LIBRARIES)} |", flush=True)


def checkpoints(texts: list[str], place: Path, models: list[str], trained: list[str]) -> Iterator[tuple[str, Path]]:
    """Pairs of a name and a checkpoint for all models; each checkpoint overwrites the previous one."""
    encoders = chain(random_models(texts, place), *(pretrained(folder, place) for folder in models))
    for label, encoder in encoders:
        yield label, write_checkpoint(encoder, place / "model.ckpt")
    for path in trained:
        yield f"trained, {Path(path).parent.name}", find_checkpoint(Path(path))


if __name__ == "__main__":
    main()
