"""System metrics, sampled by a thread of the client while the run is open."""

import os

os.environ["MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"] = "true"
os.environ["MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"] = "0.2"
os.environ["MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING"] = "1"

import mlflow
from mlflow import MlflowClient

from expectations import expect, expect_equal, unique, wait_for

client = MlflowClient()
mlflow.set_experiment(unique("system-metrics"))
wanted = {
    "system/cpu_utilization_percentage",
    "system/system_memory_usage_megabytes",
    "system/system_memory_usage_percentage",
    "system/disk_usage_megabytes",
    "system/network_transmit_megabytes",
    "system/network_receive_megabytes",
}

with mlflow.start_run() as run:
    run_id = run.info.run_id
    wait_for(
        lambda: len(client.get_metric_history(run_id, "system/cpu_utilization_percentage")) >= 3,
        "three samples of the processor's use",
    )

found = client.get_run(run_id)
expect(wanted <= set(found.data.metrics), f"metrics: {sorted(found.data.metrics)}")
memory = client.get_metric_history(run_id, "system/system_memory_usage_percentage")
expect(all(0 < metric.value <= 100 for metric in memory), f"memory in percent: {memory}")
steps = [metric.step for metric in memory]
expect_equal(steps, list(range(len(steps))), "steps of the samples")
expect_equal(found.info.status, "FINISHED", "status")
