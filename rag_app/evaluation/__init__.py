"""Which strategy is better, measured: data sets, metrics, runs, comparisons, reports.

dataset ──corpus──▶ library ──runner──▶ rankings ──metrics──▶ values a question ──comparing──▶ intervals
"""
