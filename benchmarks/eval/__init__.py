"""How good the recommendations are, on public data, beside the usual baselines in the same run."""
