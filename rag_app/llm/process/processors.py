"""How many threads a language model computes with."""

from functools import cache


@cache
def default_threads() -> int:
    """Return the number of physical cores that this process may use.

    Two threads on one core get in each other's way: both wait for the same memory and the same units that
    multiply. Where an affinity or a container's limit leaves fewer processors, it is their number.
    """
    import joblib

    return int(joblib.cpu_count(only_physical_cores=True))
