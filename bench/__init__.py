"""Benchmarks: ratios against a ceiling in one run. Nothing here asserts a time; CI does not run them."""
