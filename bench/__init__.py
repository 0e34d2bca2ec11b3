"""Measure Runstone beside MLflow: `python -m bench`."""
