"""Traces on the wires of MLflow and of OpenTelemetry."""

from runstone.server.mlflow.tracing import assessments, old, otlp, traces


routes = [*traces.routes, *assessments.routes]

at_root = [
    *otlp.at_root,
    *(
        route._replace(path=f"/{door}/{version}/{route.path}")
        for door in ("api", "ajax-api")
        for version, only in (("3.0", traces.since_3), ("2.0", old.until_3))
        for route in only
    ),
]
"""What stands under one path only."""
