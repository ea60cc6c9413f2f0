"""The only place that knows everyone: which routes are served, which carriers are spoken to, which loops run."""
