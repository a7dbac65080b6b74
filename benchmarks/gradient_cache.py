"""Measures memory and time of a training step by batch size, plain and with gradient caching.

python -m benchmarks.gradient_cache
python -m benchmarks.gradient_cache --model FOLDER --batches 64 256 --plain-up-to 256

Each point is measured in a separate process: forward, loss, backward and AdamW's step, on random tokens with lengths
of questions and passages. Memory is the peak of the device (on a CPU, of the process) above its level before the first
step, so optimiser states and gradients count.
"""

import argparse
import platform
import resource
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, Tokens
from hybrid_ir.losses.contrastive import BatchVectors
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.training.gradient_cache import CachedEncoding, DelayedAverage
from hybrid_ir.training.optimizer import OptimizerConfig, build_optimizer

BATCHES = (64, 256, 1024, 4096)
VOCABULARY = 8000
QUESTION, PASSAGE = (8, 24), (16, 96)  # tokens, shortest and longest
MEBIBYTE = 2**20


def build(model: str | None, layers: int, max_tokens: int | None) -> TextEncoder:
    """The encoder in a model's folder, or a random encoder of width 384 with an unused vocabulary."""
    if model is not None:
        return TextEncoder(AutoModel.from_pretrained(model), tokenizer(model), max_tokens=max_tokens)
    shape = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=384,
        num_hidden_layers=layers,
        num_attention_heads=12,
        intermediate_size=1536,
        pad_token_id=0,
    )
    return TextEncoder(BertModel(shape), tokenizer(None), max_tokens=max_tokens)


def tokenizer(model: str | None) -> TextTokenizer:
    if model is not None:
        return TextTokenizer(AutoTokenizer.from_pretrained(model))
    from tokenizers import Tokenizer, models

    return TextTokenizer(
        PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"<pad>": 0})), pad_token="<pad>")
    )


def random_tokens(batch: int, generator: torch.Generator) -> Tokens:
    """Questions, then passages, as `TokenisedBatch` orders them."""
    sides = [torch.randint(low, high + 1, (batch,), generator=generator) for low, high in (QUESTION, PASSAGE)]
    lengths = tuple(torch.cat(sides).tolist())
    return Tokens(torch.randint(1, VOCABULARY, (sum(lengths),), generator=generator), lengths)


def step(encoder: TextEncoder, loss: InfoNCE, tokens: Tokens, cached: bool) -> None:
    groups = torch.arange(len(tokens) // 2, device=tokens.ids.device)
    encoding = CachedEncoding(encoder, tokens) if cached else None
    queries, passages = (encoding.vectors if encoding else encoder(tokens)).chunk(2)
    loss(BatchVectors(queries, passages, groups, groups)).loss.backward()
    if encoding:
        encoding.backward(nullcontext, DelayedAverage(None, []))


def high_water(device: torch.device) -> float:
    """The peak memory in MiB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MEBIBYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(arguments: argparse.Namespace, batch: int, cached: bool) -> None:
    """Print one row of the table."""
    torch.manual_seed(0)
    device = torch.device(arguments.device)
    encoder, loss = build(arguments.model, arguments.layers, arguments.max_tokens).to(device), InfoNCE().to(device)
    optimizer, _ = build_optimizer(OptimizerConfig(), encoder.parameters(), total_steps=100)
    generator = torch.Generator().manual_seed(0)
    before, seconds = high_water(device), []
    for _ in range(arguments.steps + 1):
        tokens = random_tokens(batch, generator)
        tokens = Tokens(tokens.ids.to(device), tokens.lengths)
        start = time.perf_counter()
        step(encoder, loss, tokens, cached)
        optimizer.step()
        optimizer.zero_grad()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    fastest, path = min(seconds[1:] or seconds), "cached" if cached else "plain"
    print(
        f"| {path} | {batch} | {high_water(device) - before:.0f} | {fastest:.2f} | {batch / fastest:.0f} |", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder of a Hugging Face encoder (default: random, 384 wide)")
    parser.add_argument("--layers", type=int, default=12, help="of the random encoder")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--plain-up-to", type=int, default=256, help="largest batch of the plain path")
    parser.add_argument(
        "--steps",
        type=int,
        default=2,
        help="timed steps, after one that counts only where it is alone; the fastest counts",
    )
    parser.add_argument("--max-tokens", type=int, help="tokens of one forward (default: as in training)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--point", nargs=2, metavar=("PATH", "BATCH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        return measure(arguments, int(arguments.point[1]), arguments.point[0] == "cached")
    device = torch.cuda.get_device_name() if arguments.device == "cuda" else platform.processor() or platform.machine()
    model = arguments.model or f"random encoder, {arguments.layers} x 384"
    print(f"{device}, {torch.get_num_threads()} threads, {model}\n")
    print("| path | batch | memory, MiB | step, s | pairs/s |\n|---|---:|---:|---:|---:|", flush=True)
    for path in ("plain", "cached"):
        for batch in arguments.batches:
            if path == "cached" or batch <= arguments.plain_up_to:
                subprocess.run(
                    [sys.executable, "-m", "benchmarks.gradient_cache", *sys.argv[1:], "--point", path, str(batch)],
                    check=True,
                )
    return None


if __name__ == "__main__":
    main()
