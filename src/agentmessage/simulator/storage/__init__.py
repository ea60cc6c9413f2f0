"""What the simulator keeps on disk."""
