"""Rules of a search in an index."""

from omegaconf import DictConfig

from hybrid_ir.commands.schemas import CHOICES
from hybrid_ir.config.choices import check_choices
from hybrid_ir.config.rules.bounds import check_at_least_one
from hybrid_ir.config.rules.given import check_missing
from hybrid_ir.config.secrets import check_no_secrets
from hybrid_ir.search.search_config import OWN
from hybrid_ir.sources.errors import text_fault


def check_search(cfg: DictConfig) -> None:
    """Refuse a search that cannot work or would not mean what it says.

    Raises:
        ValueError: not one of query and queries, an empty query, or a value is missing or out of bounds.
    """
    check_missing(cfg)
    check_no_secrets(cfg)
    check_choices(cfg, CHOICES)
    if (cfg.query is None) == (cfg.queries is None):
        raise ValueError('give one of query="..." and queries=FILE')
    if cfg.query is not None and (fault := text_fault(cfg.query)):
        raise ValueError(f"the query {fault}")
    if cfg.language == OWN and cfg.query is not None:
        raise ValueError(f"language={OWN} is for queries=FILE, where each has a language; name one: language=de")
    check_at_least_one(cfg, "k", "query_chunk")
