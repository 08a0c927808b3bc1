"""The Models page: which models are here, fit and are used; pull, verify, add, use and remove them.

Pulling and hashing are tasks of the assistant and belong to no page: closing a tab stops nothing, and a page
that is opened later sees them.
"""
