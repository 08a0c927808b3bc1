"""Files on their way into the library: queue, parsing, encoding, writing."""
