"""Room 3: numbers, each with a definition: intervals, shares, bounds, outliers."""
