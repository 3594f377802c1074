"""The shop's routes, one file a counter."""
