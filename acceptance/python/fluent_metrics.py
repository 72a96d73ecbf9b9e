"""Metrics: history, latest value, batches, NaN and infinity, duplicates, data sets, paging."""

import math
import sys
import time

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from expectations import (
    CLIENT_MAJOR,
    expect,
    expect_equal,
    expect_names,
    expect_refused,
    skip_part,
    unique,
)

client = MlflowClient()
mlflow.set_experiment(unique("fluent-metrics"))
now = int(time.time() * 1000)

with mlflow.start_run() as run:
    run_id = run.info.run_id
    for step in range(5):
        mlflow.log_metric("acc", step / 10, step=step)
    mlflow.log_metrics({"loss/train": 0.5, "loss/valid set": 0.75, "точность": 1.0}, step=7)
    mlflow.log_metric("numpy", np.float32(0.5))
    mlflow.log_metric("tensor-like", np.array([2.5]).item(), timestamp=now)
    mlflow.log_metric("negative step", 1.0, step=-3)

    # The latest value belongs to the greatest step, whatever was logged last.
    mlflow.log_metric("late", 1.0, step=10)
    mlflow.log_metric("late", 2.0, step=3)

    for value in (math.nan, math.inf, -math.inf):
        mlflow.log_metric("odd", value, step={math.inf: 1, -math.inf: 2}.get(value, 0))
    mlflow.log_metric("nan", math.nan)

data = client.get_run(run_id).data
expect_equal(data.metrics["acc"], 0.4, "latest acc")
expect_equal(data.metrics["late"], 1.0, "latest value of the greatest step")
expect_equal(data.metrics["loss/valid set"], 0.75, "a key with slash and space")
expect_equal(data.metrics["точность"], 1.0, "a key in Cyrillic")
expect(math.isnan(data.metrics["nan"]), f"NaN came back as {data.metrics['nan']}")
acc = client.get_metric_history(run_id, "acc")
expect_equal([(m.step, m.value) for m in acc], [(n, n / 10) for n in range(5)], "history of acc")
odd = {metric.step: metric.value for metric in client.get_metric_history(run_id, "odd")}
expect(math.isnan(odd[0]), f"NaN in the history is {odd[0]}")
expect_equal((odd[1], odd[2]), (sys.float_info.max, -sys.float_info.max), "±infinity as stored")
expect_equal(client.get_metric_history(run_id, "negative step")[0].step, -3, "negative step")
expect_equal(client.get_metric_history(run_id, "absent"), [], "history of an unknown key")

# A full batch, and the same again: exact duplicates are dropped without a word.
batch = [Metric("batch", math.sin(n), now + n, n) for n in range(1000)]
client.log_batch(run_id, metrics=batch)
client.log_batch(run_id, metrics=batch)
history = client.get_metric_history(run_id, "batch")
expect_equal(
    [(m.value, m.timestamp, m.step) for m in history],
    [(m.value, m.timestamp, m.step) for m in batch],
    "history of a batch of 1,000, written twice",
)
client.log_batch(
    run_id,
    metrics=[Metric(f"m{n}", n, now, 0) for n in range(800)],
    params=[Param(f"p{n}", str(n)) for n in range(100)],
    tags=[RunTag(f"t{n}", str(n)) for n in range(100)],
)
data = client.get_run(run_id).data
expect_equal([data.metrics[f"m{n}"] for n in range(800)], [float(n) for n in range(800)], "metrics")
expect_equal([data.params[f"p{n}"] for n in range(100)], [str(n) for n in range(100)], "params")
expect_equal([data.tags[f"t{n}"] for n in range(100)], [str(n) for n in range(100)], "tags")
# The client splits what exceeds the limit of a request.
client.log_batch(run_id, metrics=[Metric("split", 1.0, now, n) for n in range(1001)])
expect_equal(len(client.get_metric_history(run_id, "split")), 1001, "points of a split batch")
expect_refused(
    lambda: client.log_batch(run_id, params=[Param("twice", "a"), Param("twice", "b")]),
    "INVALID_PARAMETER_VALUE",
    "twice",
    "the same param twice in a batch",
)

# More points than a page holds (25,000): the client follows the tokens.
with mlflow.start_run() as long_run:
    for start in range(0, 26_000, 1000):
        points = [Metric("x", float(n), now + n, n) for n in range(start, start + 1000)]
        client.log_batch(long_run.info.run_id, metrics=points)
history = client.get_metric_history(long_run.info.run_id, "x")
expect_equal([m.step for m in history], list(range(26_000)), "steps of 26,000 points")

# Data sets.
frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "ünï": ["a", "b", "c"], "y": [0, 1, 0]})
dataset = mlflow.data.from_pandas(frame, source="https://example.org/d.csv", name="d", targets="y")
with mlflow.start_run() as with_data:
    mlflow.log_input(dataset, context="training", tags={"fold": "1"})
    mlflow.log_input(mlflow.data.from_numpy(np.arange(6).reshape(2, 3), name="n"), context="test")
    if CLIENT_MAJOR >= 3:
        mlflow.log_metric("auc", 0.9, dataset=dataset)
    else:
        skip_part("log_metric with a data set", "new in client 3.0")
inputs = client.get_run(with_data.info.run_id).inputs.dataset_inputs
by_name = {entry.dataset.name: entry for entry in inputs}
expect_names(by_name, ["d", "n"], "data sets")
logged = by_name["d"]
expect_equal(logged.dataset.digest, dataset.digest, "digest")
expect_equal(logged.dataset.profile, '{"num_rows": 3, "num_elements": 9}', "profile")
tags = {tag.key: tag.value for tag in logged.tags}
expect_equal(tags, {"mlflow.data.context": "training", "fold": "1"}, "tags of the input")
source = mlflow.data.get_source(logged.dataset)
expect_equal(source.to_dict()["url"], "https://example.org/d.csv", "source of the data set")
