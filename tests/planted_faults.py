"""Tests of the test suite: plants one fault at a time in a copy of the package and runs the tests that should fail.

    python -m tests.planted_faults              all faults; exit status 1 if any is missed
    python -m tests.planted_faults holm seed    those whose names contain one of these words
    python -m tests.planted_faults --list       names only

A fault is a piece of code and its replacement. The code is searched for in the whole package, so files may move; code
that is not found exactly once is an error. Libraries are loaded once, and each test run is forked from this process.
The tests run without a fault first, since a test that fails anyway proves nothing.
"""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = "hybrid_ir"
COPIED, LINKED = (PACKAGE, "tests", "conf"), ("docs", "studies", "benchmarks")
SECONDS = 900  # a fault may make a test wait for ever


@dataclass(frozen=True)
class Fault:
    """A piece of code that stands once in the package, what takes its place, and who should notice.

    Attributes:
        name: what is wrong then.
        code: as it is.
        fault: as it should not be.
        tests: files and folders below tests/.
    """

    name: str
    code: str
    fault: str
    tests: str


PLAN, SCHEDULE = "sampling/test_plan.py sampling/test_draws.py", "sampling/test_schedule.py"
LOSS, DDP = "losses", "training/test_ddp.py"
RESUME, FIT = "contracts/test_resume.py", "training/test_fit.py"
MEASURES, SIGNIFICANCE = "evaluation/test_measures.py", "evaluation/test_significance.py"
EDGES = "contracts/test_edges.py"
FAULTS = [
    # Which pairs meet
    Fault("alpha inverted", "{MONOLINGUAL: alpha, CROSSLINGUAL: 1 - alpha}",
          "{MONOLINGUAL: 1 - alpha, CROSSLINGUAL: alpha}", "sampling"),
    Fault("a draw on a boundary takes the stream below", 'points, side="right")', 'points, side="left")', "sampling"),
    Fault("a draw on a boundary takes the pair below", "(self._cumulative[slot] <= draws[:, None])",
          "(self._cumulative[slot] < draws[:, None])", "sampling"),
    Fault("temperature of languages upside down", "** (1 / self.temperature)", "** self.temperature", "sampling"),
    Fault("cross-lingual pairs of one language", "if (q != p) == (kind == CROSSLINGUAL)",
          "if (q == p) == (kind == CROSSLINGUAL)", "sampling"),
    Fault("every rank takes the first slice", "rows = slice(rank * share, (rank + 1) * share)",
          "rows = slice(0, share)", PLAN),
    Fault("slices of ranks overlap by a row", "rows = slice(rank * share, (rank + 1) * share)",
          "rows = slice(rank * share, (rank + 1) * share + (rank + 1 < world_size))", PLAN),
    Fault("the seed does not draw kinds", "np.random.default_rng([plan.seed, epoch, _DRAW])",
          "np.random.default_rng([0, epoch, _DRAW])", PLAN),
    Fault("every epoch has the order of the first", "(plan.seed, self.epoch, _ORDER, number, turn)",
          "(plan.seed, 0, _ORDER, number, turn)", PLAN),
    Fault("a second pass in the order of the first", "(plan.seed, self.epoch, _ORDER, number, turn)",
          "(plan.seed, self.epoch, _ORDER, number, 0)", PLAN),
    Fault("the first batch of a stream is skipped", "divmod(int(self._occurrence[step]), stream",
          "divmod(int(self._occurrence[step]) + 1, stream", PLAN),
    Fault("temperature of corpora upside down", "_corpus_first(streams, 1 / temperature)",
          "_corpus_first(streams, temperature)", "sampling"),
    Fault("the corpus is drawn first all the same", "policy.draw == LANGUAGE_FIRST", "policy.draw is None", "sampling"),
    Fault("a language's corpora by all their examples", "{other.corpus: _size([other]) for other in by_language[code]}",
          "{other.corpus: other.index.coverage.size for other in by_language[code]}", "sampling"),
    Fault("declared sizes are ignored", "self.declared / self.size", "1.0", "sampling"),
    Fault("weights of corpora are ignored", "declared=weights.get(one.corpus, one.declared)", "declared=one.declared",
          "training/test_share_table.py"),
    Fault("rows that are not chosen are read", "any(record.get(column) != value", "any(record.get(column) == value",
          "data/readers/test_pair_table.py"),
    Fault("an answer within another word counts", "(?<!\\w){re.escape(answer.strip())}(?!\\w)",
          "{re.escape(answer.strip())}", "data/readers/test_pair_table.py"),
    Fault("a passage is a word too long", ".split()) <= words", ".split()) <= words + 1",
          "data/readers/test_pair_table.py"),
    Fault("mMARCO's triples are not declared", 'examples.triples if size == "triples" else None', "None",
          "data/readers/test_mmarco.py"),
    Fault("weights of question and passage swapped", "np.outer(question, passage)", "np.outer(passage, question)",
          "sampling"),
    Fault("a schedule starts over in every epoch", "self.at(epoch * self.per_epoch + np.arange(steps))",
          "self.at(np.arange(steps))", SCHEDULE),
    Fault("a schedule runs backwards", "alpha * (1 - left) + self.start * left",
          "alpha * left + self.start * (1 - left)", SCHEDULE),
    Fault("a schedule's step comes a batch late", 'np.searchsorted(self.until, progress, side="right")',
          'np.searchsorted(self.until, progress, side="left")', EDGES),
    Fault("the permutation leaves its range", "while (outside := values >= self.size).any():",
          "while (outside := values > self.size).any():", "sampling"),
    # What is lost
    Fault("scores divided by 1 / temperature", "(scores[0] * self.log_scale.exp()).masked_fill(",
          "(scores[0] / self.log_scale.exp()).masked_fill(", LOSS),
    Fault("same passage is not masked",
          "(contents[first][:, None] == contents) | (asked[first][:, None] == asked)",
          "asked[first][:, None] == asked", LOSS),
    Fault("same question is not masked",
          "(contents[first][:, None] == contents) | (asked[first][:, None] == asked)",
          "contents[first][:, None] == contents", LOSS),
    Fault("empty slots of negatives count", "left_out = contents == -1",
          "left_out = torch.zeros_like(contents, dtype=torch.bool)", LOSS),
    Fault("other rows compete beside hard negatives", "left_out = left_out | (asked != -1)", "pass", LOSS),
    Fault("what never competed counts as masked", "masked &= ~left_out & self.mask_false_negatives",
          "masked &= self.mask_false_negatives", LOSS),
    Fault("ties rank first in a batch", "(scores[0] >= scores[0][numbers, first][:, None]) & ~absent",
          "((scores[0] > scores[0][numbers, first][:, None]) | (scores[0] == scores[0].max())) & ~absent", LOSS),
    Fault("positives of rank 0 on every rank", "(rank * size + torch.arange(size, device=self.queries",
          "(torch.arange(size, device=self.queries", f"{LOSS} {DDP}"),
    Fault("gradients of other ranks are lost", "        dist.all_reduce(total)\n        return total[ctx.share]",
          "        return total[ctx.share]", f"{LOSS} {DDP}"),
    Fault("gradient divided by the ranks", "return total[ctx.share]",
          "return total[ctx.share] / rank_and_world()[1]", f"{LOSS} {DDP}"),
    Fault("symmetric loss is a sum", "(means + backward.mean(1)) / 2", "means + backward.mean(1)", LOSS),
    Fault("the temperature leaves its bounds", "self.log_scale.clamp_(*self.scale_bounds)", "pass", LOSS),
    Fault("pooled mean over empty slots", "losses.sum(1) / (own >= 0).sum(1)", "losses.mean(1)",
          LOSS),
    Fault("divergence has the wrong sign", " - other)).sum(1)", " + other)).sum(1)", LOSS),
    Fault("weights of distillation swapped", "(1 - self.weight) * infonce + self.weight * distance",
          "self.weight * infonce + (1 - self.weight) * distance", LOSS),
    Fault("the reference language is moved", "divergence(other.detach(),", "divergence(other,", LOSS),
    Fault("language loss above its least value", "F.softplus(-gap) - math.log(2)", "F.softplus(-gap)",
          LOSS),
    Fault("queries are tokenised as passages", '(texts.questions, "query")', '(texts.questions, "passage")',
          "training/test_collator.py training/test_translations.py"),
    # The encoder
    Fault("prefix dropped", "prefixed = [self.prefixes[kind] + text for text in texts]\n        rows =",
          "prefixed = list(texts)\n        rows =", "encoder"),
    Fault("limit of queries for passages", "max_length=self.max_lengths[kind],",
          'max_length=self.max_lengths["query"],', "encoder training/test_collator.py"),
    Fault("pooling over padding", "(output.last_hidden_state.float() * weights).sum(1) / weights.sum(1)",
          "output.last_hidden_state.float().mean(1)", "encoder"),
    Fault("vectors of any length", "return F.normalize(POOLINGS[self.pooling](output, mask), dim=-1)",
          "return POOLINGS[self.pooling](output, mask)", "encoder"),
    # Training
    Fault("cached passes draw other dropout", "with state.replayed(self._encoder.device), context():",
          "with context():", "training/test_gradient_cache.py"),
    Fault("cached gradient is a mean", "(vectors * self.vectors.grad[rows]).sum()",
          "(vectors * self.vectors.grad[rows]).mean()", "training/test_gradient_cache.py"),
    Fault("norms and biases decay", "others = weight_decay if decay == ALL else 0.0", "others = weight_decay",
          "training/test_optimizer.py"),
    Fault("a resumed epoch starts over", 'return state["epoch"], trained', 'return state["epoch"], 0',
          f"training/test_resume_changes.py {RESUME}"),
    Fault("dropout depends on what came before",
          "torch.manual_seed(int(key.generate_state(1, dtype=np.uint64)[0] >> np.uint64(1)))", "pass", RESUME),
    Fault("a longer run keeps the old rate", 'group["lr"] = group["initial_lr"] * factor(scheduler.last_epoch)',
          "pass", "training/test_optimizer.py training/test_resume_changes.py"),
    Fault("validation batches are those of the arm", "return ValidationSet(corpora) if policy is None",
          "return ValidationSet(corpora, instantiate(cfg.sampler)) if policy is None", "training/test_validation.py"),
    Fault("losses on other validation corpora are compared", "if other_losses and not any(",
          "if False and not any(", "training/test_compatibility.py"),
    Fault("sums of other kinds are taken over", 'ended or checkpoint.get("counted") != self.epoch_metrics.counted:',
          "ended:", "training/test_resume_changes.py"),
    Fault("sums of a cut epoch are dropped", 'if ended or checkpoint.get("counted")',
          'if True or checkpoint.get("counted")', RESUME),
    Fault("sums of a whole epoch are taken into the next", 'if ended or checkpoint.get("counted")',
          'if checkpoint.get("counted")', RESUME),
    Fault("a loss that is NaN stops nothing", "        if not torch.isfinite(mean):", "        if False:", FIT),
    Fault("a gradient that is infinite is stepped", "if not torch.isfinite(norm) and", "if False and", FIT),
    Fault("saved between two halves of a step", "if not stepped or ends_epoch(trainer):", "if ends_epoch(trainer):",
          "training/test_interruption.py"),
    Fault("checkpoints written in place", "with replacing(path, durable=True) as draft, draft.open(\"wb\") as file:",
          "with path.open(\"wb\") as file:", "training/test_checkpoint_io.py"),
    Fault("SIGTERM is not heard", "self.received = _asked = signal.Signals(number)", "_asked = signal.Signals(number)",
          "training/test_interruption.py"),
    Fault("metrics are sums over ranks", "sum_over_ranks(torch.stack(values)) / rank_and_world()[1]",
          "sum_over_ranks(torch.stack(values))", DDP),
    # Evaluation
    Fault("average precision from 0", "np.arange(1, len(lists.ranks) + 1)",
          "np.arange(len(lists.ranks))", MEASURES),
    Fault("average precision divided by k", "/ lists.ranks, 0.0)) / lists.counts",
          "/ lists.ranks, 0.0)) / np.minimum(lists.counts, self.last)", EDGES),
    Fault("nDCG off by one", "1 / np.log2(lists.ranks + 1.0)", "1 / np.log2(lists.ranks + 2.0)", MEASURES),
    Fault("reciprocal rank cut early", "np.where(best <= self.last, 1 / best, 0.0)",
          "np.where(best < self.last, 1 / best, 0.0)", MEASURES),
    Fault("rank distance off by one", "return (worst - best).astype(np.float64)",
          "return (worst - best + 1).astype(np.float64)", MEASURES),
    Fault("preference of queries without a choice", "(own > 0) & (own < lists.counts)", "own > 0", MEASURES),
    Fault("a language compared with itself", "np.bincount(query_groups)[query_groups] - 1",
          "np.bincount(query_groups)[query_groups]", "evaluation/test_language_measures.py"),
    Fault("unknown orders count in full", "(opposed + unknown / 2)", "(opposed + unknown)",
          "evaluation/test_language_measures.py"),
    Fault("ties of ranks the other way", "(positions < target.position[tied, None])",
          "(positions > target.position[tied, None])", "evaluation/test_ranking.py"),
    Fault("ties at the cut the other way", "np.argsort(keys[tied.cpu().numpy()], axis=1)[:, ::-1]",
          "np.argsort(keys[tied.cpu().numpy()], axis=1)", "evaluation/test_exact_search.py"),
    Fault("ties of best passages the other way", "np.argsort(self.keys, axis=1, kind=\"stable\")[:, ::-1]",
          "np.argsort(self.keys, axis=1, kind=\"stable\")", "evaluation/test_exact_search.py"),
    Fault("Holm without its maximum", "np.maximum.accumulate(np.asarray(p_values)[order] * factors)",
          "(np.asarray(p_values)[order] * factors)", SIGNIFICANCE),
    Fault("Holm's factors off by one", "factors = len(order) - np.arange(len(order))",
          "factors = len(order) - 1 - np.arange(len(order))", SIGNIFICANCE),
    Fault("p may be zero", "(extreme + 1) / (total + 1)", "extreme / total", EDGES),
    Fault("t-test with n", "np.std(shares, ddof=1)", "np.std(shares, ddof=0)", SIGNIFICANCE),
    Fault("macro averages weighted by queries", "groups.setdefault(row.group, []).append(row.value)",
          "groups.setdefault(row.group, []).extend([row.value] * row.queries)", "evaluation/test_evaluator.py"),
    Fault("queries without a value count as NaN", "float(np.nanmean(values))", "float(np.mean(values))",
          EDGES),
    Fault("cached vectors of any model", "json.dumps([kind, own], sort_keys=True, default=str)", "json.dumps([kind])",
          "evaluation/test_cache.py"),
    Fault("damaged blocks are read", "content[-8:].view(np.uint64) != _checksum(content[:-8])", "False",
          "evaluation/test_vectors.py"),
    # Data, leakage, mining, sweeps, reports
    Fault("an example id twice", "        if example.id in self.seen:", "        if False:", "data"),
    Fault("held out questions share a passage", "(nodes + passages.max(initial=-1) + 1, questions, nodes + passages)",
          "(nodes + passages.max(initial=-1) + 1, questions[:0], passages[:0])", "data"),
    Fault("near copies must be nearer", "NEAR = 2 / 3", "NEAR = 0.95", "leakage"),
    Fault("translations of a copy stay", "groups[corpus.content_rows(side)], groups[rows])",
          "corpus.content_rows(side), rows)", "leakage/test_guard.py"),
    Fault("the worst candidates are mined", "np.lexsort((-numbers, -scores))", "np.lexsort((-numbers, scores))",
          "mining/test_negatives.py"),
    Fault("a finished job runs again", "return record if complete else None", "return None", "launch/test_sweep.py"),
    Fault("a failed job counts as finished", "record is None or record.error is None else record.before",
          "record is None or record.error is None else record", "launch/test_sweep.py"),
    Fault("intervals without the seeds", "random.integers(0, runs, size=(rows, runs))",
          "np.zeros((rows, runs), dtype=np.int64)", "reports/test_contributions.py"),
]  # fmt: skip


def sources(root: Path) -> dict[Path, str]:
    """Every module of the package below `root`."""
    return {path: path.read_text(encoding="utf-8") for path in sorted((root / PACKAGE).rglob("*.py"))}


def planted(fault: Fault, root: Path) -> Path:
    """The only module that has the code.

    Raises:
        LookupError: no module has it, or several places do.
    """
    places = [(path, text.count(fault.code)) for path, text in sources(root).items() if fault.code in text]
    if [count for _, count in places] != [1]:
        where = ", ".join(f"{path.relative_to(root)} ({count})" for path, count in places) or "nowhere"
        raise LookupError(f"{fault.name}: the code must be in exactly one place, found: {where}: {fault.code!r}")
    return places[0][0]


@contextlib.contextmanager
def scratch_copy(repository: Path) -> Iterator[Path]:
    """A copy of what the tests need, to plant faults in."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "repository"
        root.mkdir()
        for name in COPIED:
            shutil.copytree(repository / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in repository.iterdir():
            if path.is_file():
                shutil.copy(path, root)
        for name in LINKED:
            if (repository / name).exists():
                (root / name).symlink_to(repository / name)
        yield root


def load_libraries() -> None:
    """What every test needs, once: processes forked from this one have it."""
    import hydra  # noqa: F401
    import hypothesis  # noqa: F401
    import lightning  # noqa: F401
    import pytest  # noqa: F401
    import scipy.stats  # noqa: F401
    import torch
    import torchmetrics  # noqa: F401
    import transformers

    torch.set_num_threads(1)
    for name in ("AutoModel", "BertModel", "XLMRobertaModel", "AutoTokenizer", "PreTrainedTokenizerFast"):
        getattr(transformers, name)  # loaded lazily


def run_tests(root: Path, tests: Sequence[str], log: Path, *options: str) -> int:
    """The exit status of pytest in a forked process; -9 where it took too long."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.setpgid(0, 0)
            with log.open("w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            os.chdir(root)
            sys.path[:] = [str(root), *(entry for entry in sys.path if Path(entry or ".").resolve() != REPOSITORY)]
            for name in [name for name in sys.modules if name.partition(".")[0] in (PACKAGE, "tests")]:
                del sys.modules[name]
            import pytest

            status = int(pytest.main(["-q", "-p", "no:cacheprovider", "--tb=line", *options, *tests]))
            sys.stdout.flush()
        finally:
            os._exit(status)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, 9)
    os.waitpid(child, 0)
    return -9


def tests_of(fault: Fault, root: Path) -> list[str]:
    """Where its tests are; the folder where a file is gone."""
    found = []
    for name in fault.tests.split():
        path = root / "tests" / name
        path = path if path.exists() else path.parent
        found.append(str(path.relative_to(root)))
    return list(dict.fromkeys(found))


def verdict(status: int) -> str:
    """What pytest's exit status says of a fault."""
    return {0: "MISSED", 1: "caught", -9: "caught (by waiting for ever)"}.get(status, f"BROKEN (status {status})")


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module. Returns 0 where every fault was caught."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="parts of names")
    parser.add_argument("--list", action="store_true", help="show the names alone")
    parser.add_argument("--without-control", action="store_true", help="trust that the tests pass without a fault")
    given = parser.parse_args(arguments)
    chosen = [fault for fault in FAULTS if not given.words or any(word in fault.name for word in given.words)]
    if given.list:
        print("\n".join(fault.name for fault in chosen))
        return 0
    return plant(chosen, REPOSITORY, control=not given.without_control)


def plant(faults: Sequence[Fault], repository: Path, control: bool = True) -> int:
    """Plant each fault alone and say what came of it."""
    gone = []
    for fault in faults:
        try:
            planted(fault, repository)
        except LookupError as error:
            gone.append(str(error))
    if gone:
        print("\n".join(gone), file=sys.stderr)
        return 2
    os.environ.setdefault("HYBRID_IR_SHARED", str(repository.parent / "shared"))
    os.environ.update(OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1", WANDB_MODE="offline")
    load_libraries()
    verdicts = []
    with scratch_copy(repository) as root, tempfile.TemporaryDirectory() as logs:
        log = Path(logs) / "log"
        if control:
            every = sorted({test for fault in faults for test in tests_of(fault, root)})
            if run_tests(root, every, log) != 0:
                print(log.read_text(), "\nthese fail without a fault, and prove nothing", file=sys.stderr)
                return 2
        for fault in faults:
            path, started = planted(fault, root), time.monotonic()
            intact = path.read_text(encoding="utf-8")
            path.write_text(intact.replace(fault.code, fault.fault), encoding="utf-8")
            verdicts.append(verdict(run_tests(root, tests_of(fault, root), log, "-x")))
            path.write_text(intact, encoding="utf-8")
            by = [line for line in log.read_text().splitlines() if line.startswith(("FAILED", "ERROR"))]
            print(
                f"{verdicts[-1]:<8} {time.monotonic() - started:5.1f} s  {fault.name}  {' '.join(by)[:120]}", flush=True
            )
    caught = sum(one.startswith("caught") for one in verdicts)
    print(f"{caught} of {len(faults)} caught")
    return 0 if caught == len(faults) else 1


if __name__ == "__main__":
    raise SystemExit(main())
