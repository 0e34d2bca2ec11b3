"""Where libraries look for W&B's own types."""
