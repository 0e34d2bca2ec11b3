"""What a run has while it runs: its console, its signs of life, its news."""
