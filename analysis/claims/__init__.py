"""Room 4: what is said, what the data say: checks, specification grids, verdicts."""
