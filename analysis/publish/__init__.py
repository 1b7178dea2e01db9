"""The way out: citation and package descriptors, releases."""
