"""Maintenance of a library: verify, repair, compact, rebuild, reindex, archive, statistics."""

from ingestion.maintenance.compacting import Compaction, StoreBytes, compact
from ingestion.maintenance.rebuilding import Rebuilt, rebuild
from ingestion.maintenance.repairs import repair
from ingestion.maintenance.report import MaintenanceProgress, Problem, Repair, RepairReport, VerifyReport
from ingestion.maintenance.stats import CollectionStats, RepresentationStats, Stats, stats
from ingestion.maintenance.verification import verify

__all__ = [
    "CollectionStats",
    "Compaction",
    "MaintenanceProgress",
    "Problem",
    "Rebuilt",
    "Repair",
    "RepairReport",
    "RepresentationStats",
    "Stats",
    "StoreBytes",
    "VerifyReport",
    "compact",
    "rebuild",
    "repair",
    "stats",
    "verify",
]
