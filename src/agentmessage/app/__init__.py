"""The two processes, `serve` and `work`: which routes are served, which carriers are called, which loops run."""
