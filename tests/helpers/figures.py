"""Figures of /metrics, as Prometheus' own parser reads them."""

from prometheus_client.parser import text_string_to_metric_families


def figures(text: bytes | str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return values by the sample's name and its labels' values, in the order of the labels' names."""
    read = text if isinstance(text, str) else text.decode()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(read)
        for sample in family.samples
    }
