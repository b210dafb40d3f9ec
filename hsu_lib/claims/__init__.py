"""What the documents report and claim, and how our runs judge it."""

from hsu_lib.claims.documents import (
    DOCUMENTS,
    SOURCES,
    claims,
    find_printed,
    find_reported,
    inconsistencies,
    printed_table,
    reported,
    reported_value,
    settings,
)
from hsu_lib.claims.ledger import changed, explored, nearer, scorecard

__all__ = [
    "DOCUMENTS",
    "SOURCES",
    "changed",
    "claims",
    "explored",
    "find_printed",
    "find_reported",
    "inconsistencies",
    "nearer",
    "printed_table",
    "reported",
    "reported_value",
    "scorecard",
    "settings",
]
