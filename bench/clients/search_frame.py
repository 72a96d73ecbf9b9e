"""Reads an experiment into a frame with the official client: arguments are address, experiment and runs.

Prints one JSON object: seconds of `mlflow.search_runs`, rows, columns, and the sum of metric m0.
"""

import json
import sys
import time

import mlflow

mlflow.set_tracking_uri(sys.argv[1])
mlflow.search_runs([sys.argv[2]], max_results=10)
start = time.perf_counter()
frame = mlflow.search_runs([sys.argv[2]], max_results=int(sys.argv[3]))
seconds = time.perf_counter() - start
print(
    json.dumps(
        {
            "seconds": seconds,
            "rows": len(frame),
            "columns": len(frame.columns),
            "sum": float(frame["metrics.m0"].sum()),
        }
    )
)
