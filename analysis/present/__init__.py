"""Room 5: charts, tables and numbers for prose."""
