"""The Inspect page: MaxSim with its numbers, the stored form of a passage, a question's way to its answer."""
