"""Logged models: made by log_model and by hand, searched, tagged, linked to metrics and data."""

import warnings

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient

from expectations import (
    CLIENT_MAJOR,
    expect,
    expect_close,
    expect_equal,
    expect_names,
    expect_refused,
    skip_script,
    unique,
)

if CLIENT_MAJOR < 3:
    skip_script("logged models are new in client 3.0")

warnings.filterwarnings("ignore", category=UserWarning)

client = MlflowClient()
experiment = mlflow.set_experiment(unique("logged-models"))
experiment_id = experiment.experiment_id
train = mlflow.data.from_pandas(pd.DataFrame({"x": [1, 2], "y": [0, 1]}), name="train")
valid = mlflow.data.from_pandas(pd.DataFrame({"x": [3, 4], "y": [1, 1]}), name="valid")


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["x"] * 2


# log_model: artifacts, params of the run, output of the run, metrics of its step.
example = pd.DataFrame({"x": [1.0, 2.0]})
with mlflow.start_run() as run:
    mlflow.log_params({"lr": 0.1, "kind": "double"})
    mlflow.log_metric("loss", 0.25, step=3)
    info = mlflow.pyfunc.log_model(
        name="doubler",
        python_model=Doubler(),
        input_example=example,
        pip_requirements=["mlflow"],
        step=3,
        params={"own": "1"},
        tags={"team": "wine"},
    )
    mlflow.log_metric("acc", 0.5, step=1, model_id=info.model_id, dataset=train)
    mlflow.log_metric("acc", 0.7, step=2, model_id=info.model_id, dataset=valid)
    mlflow.log_metrics({"f1": 0.9, "auc": 0.8}, model_id=info.model_id)
model = mlflow.get_logged_model(info.model_id)
expect_equal((model.name, str(model.status)), ("doubler", "READY"), "name and status")
expect_equal(model.source_run_id, run.info.run_id, "source run")
expect_equal(model.params, {"lr": "0.1", "kind": "double", "own": "1"}, "params")
expect_equal(model.tags["team"], "wine", "tag")
points = {(m.key, m.value, m.step, m.dataset_name) for m in model.metrics}
expect(
    {("acc", 0.5, 1, "train"), ("acc", 0.7, 2, "valid"), ("loss", 0.25, 3, None)} <= points,
    f"metrics of the model: {points}",
)
expect_names({m.key for m in model.metrics}, ["acc", "auc", "f1", "loss"], "metric keys")
expect_equal({m.run_id for m in model.metrics}, {run.info.run_id}, "runs of the metrics")
outputs = client.get_run(run.info.run_id).outputs.model_outputs
expect_equal([(out.model_id, out.step) for out in outputs], [(model.model_id, 3)], "outputs")
loaded = mlflow.pyfunc.load_model(f"models:/{model.model_id}")
np.testing.assert_array_equal(loaded.predict(example), [2.0, 4.0])
names = [entry.path for entry in client.list_logged_model_artifacts(model.model_id)]
expect({"MLmodel", "requirements.txt", "python_model.pkl"} <= set(names), f"files: {names}")

# By hand: external, initialised and finalised.
external = mlflow.create_external_model(
    name="external", params={"lr": "0.5"}, tags={"team": "beer"}, model_type="agent"
)
expect_equal((str(external.status), external.model_type), ("READY", "agent"), "external model")
pending = mlflow.initialize_logged_model(name="pending", params={"lr": "0.9"})
expect_equal(str(pending.status), "PENDING", "a new model")
failed = mlflow.finalize_logged_model(pending.model_id, "FAILED")
expect_equal(str(failed.status), "FAILED", "finalised as failed")
ready = mlflow.finalize_logged_model(pending.model_id, "READY")
expect_equal(str(ready.status), "READY", "finalised as ready")
mlflow.log_model_params({"late": "1", "later": "2"}, model_id=external.model_id)
expect_equal(
    mlflow.get_logged_model(external.model_id).params,
    {"lr": "0.5", "late": "1", "later": "2"},
    "params logged later",
)
mlflow.set_logged_model_tags(external.model_id, {"a": "1", "b": "2"})
mlflow.delete_logged_model_tag(external.model_id, "a")
tags = mlflow.get_logged_model(external.model_id).tags
expect_equal({k: v for k, v in tags.items() if k in "ab"}, {"b": "2"}, "tags of the model")
expect_refused(
    lambda: client.create_logged_model(experiment_id, name="a/b"),
    "INVALID_PARAMETER_VALUE",
    "",
    "a name with a slash",
)
expect_refused(
    lambda: mlflow.get_logged_model("m-" + "0" * 32),
    "RESOURCE_DOES_NOT_EXIST",
    f"Logged model with ID 'm-{'0' * 32}' not found",
    "an unknown model",
)
for value, step in ((0.6, 1), (0.2, 2)):
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.log_metric("acc", value, step=step, model_id=external.model_id, dataset=valid)


# Search: each expectation is what an MLflow server answers.
def search(filter_string: str = "", **more) -> list[str]:
    return [
        one.name
        for one in mlflow.search_logged_models(
            [experiment_id], filter_string or None, output_format="list", **more
        )
    ]


expect_equal(search(), ["pending", "external", "doubler"], "newest first")
for filter_string, expected in [
    ("name = 'doubler'", ["doubler"]),
    ("name LIKE '%e%' AND name != 'pending'", ["doubler", "external"]),
    ("name ILIKE 'EXT%'", ["external"]),
    ("name IN ('pending', 'doubler')", ["doubler", "pending"]),
    ("params.lr = '0.1'", ["doubler"]),
    ("params.lr != '0.1'", ["external", "pending"]),
    ("tags.team = 'beer'", ["external"]),
    ("metrics.acc > 0.65", ["doubler"]),
    ("metrics.acc >= 0.5", ["doubler", "external"]),
    ("metrics.acc < 0.3", ["external"]),
    ("metrics.f1 = 0.9 AND params.kind = 'double'", ["doubler"]),
    (f"source_run_id = '{run.info.run_id}'", ["doubler"]),
    ("model_type = 'agent'", ["external"]),
]:
    expect_names(search(filter_string), expected, filter_string)
for dataset, expected in [(train, ["doubler"]), (valid, ["doubler", "external"])]:
    on = [{"dataset_name": dataset.name, "dataset_digest": dataset.digest}]
    expect_names(search("metrics.acc > 0.1", datasets=on), expected, f"on {dataset.name}")
    expect_names(search(datasets=on), expected, f"any metric on {dataset.name}")
expect_equal(
    search(order_by=[{"field_name": "metrics.acc", "ascending": False}])[:2],
    ["doubler", "external"],
    "order by the latest accuracy",
)
expect_equal(
    search(order_by=[{"field_name": "metrics.acc", "dataset_name": "train"}])[0],
    "doubler",
    "order by a metric on a data set",
)
expect_equal(
    search(order_by=[{"field_name": "name", "ascending": True}]),
    ["doubler", "external", "pending"],
    "order by name",
)
expect_equal(search(max_results=1), ["pending"], "max_results")
first = client.search_logged_models([experiment_id], max_results=2)
second = client.search_logged_models([experiment_id], max_results=2, page_token=first.token)
expect_equal([m.name for m in [*first, *second]], ["pending", "external", "doubler"], "two pages")
frame = mlflow.search_logged_models([experiment_id])
expect_equal(list(frame["name"]), ["pending", "external", "doubler"], "the frame")

# A metric of the active model, a model of a run, and what is the last one.
with mlflow.start_run() as second_run:
    mlflow.log_metric("acc", 0.99, model_id=external.model_id)
inputs = client.get_run(second_run.info.run_id).inputs.model_inputs
expect_equal([entry.model_id for entry in inputs], [external.model_id], "models put into the run")
expect_equal(mlflow.last_logged_model().model_id, pending.model_id, "last logged model")
latest = [m.value for m in mlflow.get_logged_model(external.model_id).metrics if m.key == "acc"]
expect_close(max(latest), 0.99, "metric of another run")

# From model to registry: the version keeps the address of the model.
name = unique("logged-model")
version = mlflow.register_model(f"models:/{model.model_id}", name)
stored = client.get_model_version(name, version.version)
expect_equal(stored.source, f"models:/{model.model_id}", "source")
expect_equal(stored.run_id, run.info.run_id, "the run is that of the model")
loaded = mlflow.pyfunc.load_model(f"models:/{name}/{version.version}")
np.testing.assert_array_equal(loaded.predict(example), [2.0, 4.0])

client.delete_logged_model(pending.model_id)
expect_equal(search("name = 'pending'"), [], "search after deleting")
expect_refused(
    lambda: mlflow.get_logged_model(pending.model_id),
    "RESOURCE_DOES_NOT_EXIST",
    "not found",
    "a deleted model",
)
