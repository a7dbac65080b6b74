"""Tokenisation of queries and passages: prefixes, truncation, and a padding-free batch of token ids."""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.records import TextKind


@dataclass(frozen=True)
class Tokens:
    """Token ids of several texts, concatenated without padding.

    Attributes:
        ids: int64 (T,), T the total number of tokens.
        lengths: number of tokens of each text; they sum to T.
    """

    ids: Tensor
    lengths: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.lengths)

    def padded(self, rows: Sequence[int], padding: int) -> tuple[Tensor, Tensor]:
        """The texts at `rows`, padded to the longest of them.

        Returns:
            Ids, int64 (len(rows), L), and the mask, int64 (len(rows), L), 1 at a token and 0 at padding; both on the
            device of `ids`.
        """
        chosen, width = self._rows[:, torch.tensor(rows)].to(self.ids.device), max(self.lengths[row] for row in rows)
        positions = torch.arange(width, device=self.ids.device)
        starts, lengths = chosen[:, :, None]
        inside = positions < lengths
        # One lookup for all texts. Positions after a text's end hold the next text's ids until padding replaces them.
        ids = self.ids[torch.where(inside, starts + positions, 0)]
        return ids.masked_fill_(~inside, padding), inside.long()

    def joined(self, rows: Sequence[int]) -> Tensor:
        """Ids of the texts at `rows`, concatenated: int64, one for each of their tokens."""
        starts = self._rows[0, torch.tensor(rows)].tolist()
        return torch.cat([self.ids[start : start + self.lengths[row]] for start, row in zip(starts, rows, strict=True)])

    @cached_property
    def _rows(self) -> Tensor:
        """Start and length of each text: int64 (2, N) on the CPU."""
        lengths = torch.tensor(self.lengths)
        return torch.stack([lengths.cumsum(0) - lengths, lengths])

    @classmethod
    def concatenate(cls, parts: "Sequence[Tokens]") -> "Tokens":
        """The texts of all parts, in order."""
        return cls(torch.cat([part.ids for part in parts]), tuple(n for part in parts for n in part.lengths))


class TextTokenizer:
    """Turns queries and passages into tokens, each with the prefix and length limit of its kind.

    Args:
        tokenizer: any transformers tokenizer.
        query_prefix: put before every query, such as `"query: "`.
        passage_prefix: put before every passage.
        max_query_length: the largest number of tokens of a query, with prefix and special tokens; longer queries are
            truncated.
        max_passage_length: the same for passages.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        query_prefix: str = "",
        passage_prefix: str = "",
        max_query_length: int = 256,
        max_passage_length: int = 256,
    ) -> None:
        self.tokenizer = tokenizer
        self.prefixes: dict[TextKind, str] = {"query": query_prefix, "passage": passage_prefix}
        self.max_lengths: dict[TextKind, int] = {"query": max_query_length, "passage": max_passage_length}

    def __call__(self, texts: Sequence[str], kind: TextKind) -> Tokens:
        """Tokens of `texts`, in order."""
        prefixed = [self.prefixes[kind] + text for text in texts]
        rows = self.tokenizer(
            prefixed,
            truncation=True,
            max_length=self.max_lengths[kind],
            return_attention_mask=False,
            return_token_type_ids=False,
        )["input_ids"]
        return Tokens(torch.tensor([token for row in rows for token in row]), tuple(len(row) for row in rows))

    def files(self) -> dict[str, str]:
        """The tokenizer's files, name -> text, for `tokenizer_from_files`."""
        with tempfile.TemporaryDirectory() as folder:
            self.tokenizer.save_pretrained(folder)
            return {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())}

    def fingerprint(self) -> str:
        """SHA-256 of all that decides a text's tokens: vocabulary and rules, without the last call's settings."""
        return fingerprint(self.files())


def fingerprint(files: Mapping[str, str]) -> str:
    """The `TextTokenizer.fingerprint` of the tokenizer with these `TextTokenizer.files`."""
    files = {name: text for name, text in files.items() if name != "tokenizer_config.json"}
    if "tokenizer.json" in files:
        content = json.loads(files["tokenizer.json"]) | {"truncation": None, "padding": None}
        files["tokenizer.json"] = json.dumps(content, sort_keys=True)
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def tokenizer_from_files(files: dict[str, str]) -> PreTrainedTokenizerBase:
    """The tokenizer with these `TextTokenizer.files`.

    Raises:
        ValueError: a file's name is not a plain name, or the tokenizer would run code of its own.
    """
    for name in files:
        if Path(name).name != name or name == "..":
            raise ValueError(f"a tokenizer's file is called {name!r}; it must be a plain name, not a path")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)


def train_tokenizer(texts: Iterable[str], vocab_size: int, path: Path) -> PreTrainedTokenizerBase:
    """A byte-pair tokenizer learned from `texts`, cached at `path`.

    It is for encoders trained from scratch, which have no vocabulary to inherit. It works on bytes, so no text is
    unknown. The result depends only on the texts and the size.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<s>", "</s>"]
    if not path.exists():
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[(token, special.index(token)) for token in ("<s>", "</s>")]
        )
        with replacing(path) as draft:
            draft.write_text(tokenizer.to_str(), encoding="utf-8")
    tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_input_names=["input_ids", "attention_mask"], **names
    )
