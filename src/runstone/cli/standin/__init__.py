"""The folder that `runstone exec` puts first on PYTHONPATH."""
