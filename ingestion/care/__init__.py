"""Care of a library: verify, repair, compact, and figures of what it holds."""

from ingestion.care.compacting import Compaction, StoreBytes, compact
from ingestion.care.figures import CollectionStats, RepresentationStats, Stats, stats
from ingestion.care.rebuilding import Rebuilt, rebuild
from ingestion.care.repairing import repair
from ingestion.care.report import CareProgress, Problem, Repair, RepairReport, Report
from ingestion.care.verifying import verify

__all__ = [
    "CareProgress",
    "CollectionStats",
    "Compaction",
    "Problem",
    "Rebuilt",
    "Repair",
    "RepairReport",
    "Report",
    "RepresentationStats",
    "Stats",
    "StoreBytes",
    "compact",
    "rebuild",
    "repair",
    "stats",
    "verify",
]
