"""Per-token vectors in immutable, memory-mapped segments, and MaxSim over them."""
