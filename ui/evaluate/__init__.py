"""The Evaluate page: which strategy finds more in a person's own documents.

An evaluation is a task of the assistant and belongs to no page: closing a tab stops nothing, and a page that
is opened later sees the same task, and the latest result.
"""
