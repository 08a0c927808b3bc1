"""Servers of language models on this machine: which models they have, and what their own APIs say of them.

Servers are distrusted: what they say is bounded in size, count and time, and checked before it is used.
"""
