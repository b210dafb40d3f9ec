"""What the documents report and claim, and how our runs judge it."""

from hsu_lib.claims.documents import (
    SOURCES,
    claims,
    find_reported,
    inconsistencies,
    printed_table,
    reported,
    reported_value,
    settings,
)
from hsu_lib.claims.ledger import changed, scorecard
from hsu_lib.claims.verdicts import (
    CONFIDENCE,
    FEWEST_SEEDS,
    Comparison,
    Judgement,
    Verdict,
    alike,
    compare,
    constrained,
    equivalent,
    interval,
    judge,
    nearer,
    spread,
)

__all__ = [
    "CONFIDENCE",
    "FEWEST_SEEDS",
    "SOURCES",
    "Comparison",
    "Judgement",
    "Verdict",
    "alike",
    "changed",
    "claims",
    "compare",
    "constrained",
    "equivalent",
    "find_reported",
    "inconsistencies",
    "interval",
    "judge",
    "nearer",
    "printed_table",
    "reported",
    "reported_value",
    "scorecard",
    "settings",
    "spread",
]
