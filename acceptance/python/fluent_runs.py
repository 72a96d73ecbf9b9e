"""Runs and experiments through the fluent API and the client: life cycle, tags, names, params."""

import mlflow
from mlflow import MlflowClient
from mlflow.entities import RunStatus, ViewType

from expectations import (
    expect,
    expect_equal,
    expect_names,
    expect_refused,
    unique,
    wait_for,
)

client = MlflowClient()

# Experiments: create, read by id and name, tag, rename, search, delete, restore.
name = unique("fluent-runs ünï/код 🍷")
experiment_id = mlflow.create_experiment(name, tags={"team": "wine", "note": "zwei\nZeilen"})
experiment = mlflow.get_experiment(experiment_id)
expect_equal((experiment.name, experiment.lifecycle_stage), (name, "active"), "experiment")
expect_equal(experiment.tags["note"], "zwei\nZeilen", "experiment tag")
expect_equal(mlflow.get_experiment_by_name(name).experiment_id, experiment_id, "by name")
expect_equal(mlflow.get_experiment_by_name(unique("absent")), None, "an unknown name")
expect_refused(
    lambda: mlflow.create_experiment(name),
    "RESOURCE_ALREADY_EXISTS",
    "already exists",
    "an experiment of the same name",
)
expect_refused(
    lambda: client.get_experiment("98765432"),
    "RESOURCE_DOES_NOT_EXIST",
    "No Experiment with id=98765432 exists",
    "an unknown experiment",
)
mlflow.set_experiment(experiment_id=experiment_id)
mlflow.set_experiment_tags({"stage": "draft", "more": "1"})
mlflow.set_experiment_tag("stage", "final")
if hasattr(client, "delete_experiment_tag"):
    client.delete_experiment_tag(experiment_id, "more")
    tags = client.get_experiment(experiment_id).tags
    expect_equal(tags, {"team": "wine", "note": "zwei\nZeilen", "stage": "final"}, "tags")
renamed = unique("fluent-runs")
client.rename_experiment(experiment_id, renamed)
expect_equal(client.get_experiment(experiment_id).name, renamed, "name after renaming")

others = [mlflow.create_experiment(unique(f"fluent-search-{n}"), tags={"n": str(n)}) for n in "abc"]
found = mlflow.search_experiments(
    filter_string=f"name LIKE 'fluent-search-%{unique('')}'", order_by=["name DESC"]
)
expect_equal([one.experiment_id for one in found], others[::-1], "experiments by name DESC")
found = mlflow.search_experiments(
    filter_string=f"tags.n = 'b' AND name ILIKE 'FLUENT-%{unique('')}'"
)
expect_equal([one.experiment_id for one in found], [others[1]], "experiments by tag")
page = client.search_experiments(
    max_results=2, filter_string=f"name LIKE 'fluent-search-%{unique('')}'", order_by=["name"]
)
expect_equal(len(page), 2, "first page of experiments")
rest = client.search_experiments(
    max_results=2,
    filter_string=f"name LIKE 'fluent-search-%{unique('')}'",
    order_by=["name"],
    page_token=page.token,
)
expect_equal([one.experiment_id for one in [*page, *rest]], others, "experiments over two pages")
expect(not rest.token, f"the last page has a token: {rest.token}")

mlflow.delete_experiment(others[0])
expect_equal(client.get_experiment(others[0]).lifecycle_stage, "deleted", "stage once deleted")
listed = mlflow.search_experiments(
    view_type=ViewType.DELETED_ONLY, filter_string=f"name = '{unique('fluent-search-a')}'"
)
expect_equal([one.experiment_id for one in listed], [others[0]], "deleted experiments")
client.restore_experiment(others[0])
expect_equal(client.get_experiment(others[0]).lifecycle_stage, "active", "stage once restored")

# Runs: names, description, nesting, tags, params.
with mlflow.start_run(run_name="парень", description="**why**", tags={"a": "1"}) as parent:
    mlflow.log_param("lr", 0.1)
    mlflow.log_params({"layers/first": "64", "name with space": "ünï", "empty": ""})
    mlflow.log_params({f"many.{n}": n for n in range(100)})
    mlflow.log_param("lr", 0.1)
    expect_refused(
        lambda: mlflow.log_param("lr", 0.2),
        "INVALID_PARAMETER_VALUE",
        "lr",
        "changing a parameter",
    )
    expect_refused(
        lambda: client.log_param(parent.info.run_id, "a//b", 1),
        "INVALID_PARAMETER_VALUE",
        "a//b",
        "a key that is no normalised path",
    )
    mlflow.set_tag("b", "текст 🍷")
    mlflow.set_tags({"c": "3", "d": "4"})
    mlflow.delete_tag("c")
    with mlflow.start_run(nested=True, run_name="child") as child:
        mlflow.log_param("depth", 1)
        with mlflow.start_run(nested=True) as grandchild:
            expect(grandchild.info.run_name, "a run without a name gets one")
run = mlflow.get_run(parent.info.run_id)
expect_equal(run.info.run_name, "парень", "run name")
expect_equal(run.info.status, "FINISHED", "status")
expect(run.info.end_time >= run.info.start_time > 0, f"times: {run.info}")
expect_equal(run.data.tags["mlflow.note.content"], "**why**", "description")
expect_equal(run.data.tags["b"], "текст 🍷", "tag b")
expect("c" not in run.data.tags, "the deleted tag c is still there")
expect_equal(run.data.params["lr"], "0.1", "param lr")
expect_equal(run.data.params["name with space"], "ünï", "param with a space in its key")
expect_equal(run.data.params["empty"], "", "empty param")
expect_equal(len(run.data.params), 104, "number of params")
expect_equal(mlflow.get_parent_run(child.info.run_id).info.run_id, run.info.run_id, "parent")
expect_equal(
    mlflow.get_parent_run(grandchild.info.run_id).info.run_id, child.info.run_id, "grandparent"
)
long_value = "é" * 6000
with mlflow.start_run() as long_run:
    mlflow.log_param("long", long_value)
expect_equal(client.get_run(long_run.info.run_id).data.params["long"], long_value, "long param")

# The context manager marks what ends badly, and resuming opens the same run again.
try:
    with mlflow.start_run() as failing:
        raise ValueError("on purpose")
except ValueError:
    pass
expect_equal(client.get_run(failing.info.run_id).info.status, "FAILED", "status after an error")
with mlflow.start_run(run_id=failing.info.run_id):
    expect_equal(client.get_run(failing.info.run_id).info.status, "RUNNING", "status when resumed")
expect_equal(client.get_run(failing.info.run_id).info.status, "FINISHED", "status once resumed")
created = client.create_run(experiment_id, run_name="by hand", tags={"k": "v"}, start_time=1000)
client.update_run(created.info.run_id, status="KILLED", name="renamed")
client.set_terminated(created.info.run_id, status="KILLED", end_time=2000)
killed = client.get_run(created.info.run_id)
expect_equal(killed.info.status, RunStatus.to_string(RunStatus.KILLED), "status set by hand")
expect_equal((killed.info.start_time, killed.info.end_time), (1000, 2000), "times set by hand")
expect_equal(killed.data.tags["mlflow.runName"], "renamed", "the tag follows the name")
client.set_tag(created.info.run_id, "mlflow.runName", "again")
expect_equal(client.get_run(created.info.run_id).info.run_name, "again", "the name follows the tag")

# Delete and restore.
mlflow.delete_run(created.info.run_id)
expect_equal(client.get_run(created.info.run_id).info.lifecycle_stage, "deleted", "deleted run")
expect_refused(
    lambda: client.log_metric(created.info.run_id, "m", 1.0),
    "INVALID_PARAMETER_VALUE",
    "'active' state",
    "logging to a deleted run",
)
gone = client.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)
expect_names([one.info.run_id for one in gone], [created.info.run_id], "deleted runs")
client.restore_run(created.info.run_id)
expect_equal(client.get_run(created.info.run_id).info.lifecycle_stage, "active", "restored run")
expect_refused(
    lambda: client.get_run("0" * 32),
    "RESOURCE_DOES_NOT_EXIST",
    f"Run with id={'0' * 32} not found",
    "an unknown run",
)

# Asynchronous logging: what was handed over arrives.
with mlflow.start_run() as asynchronous:
    for step in range(200):
        mlflow.log_metric("loss", 1 / (step + 1), step=step, synchronous=False)
    mlflow.log_params({"p": 1, "q": 2}, synchronous=False)
    mlflow.set_tags({"t": "x"}, synchronous=False)
    mlflow.log_metrics({"x": 1.0, "y": 2.0}, step=3, synchronous=False).wait()
    mlflow.flush_async_logging()
run_id = asynchronous.info.run_id
history = wait_for(
    lambda: (points := client.get_metric_history(run_id, "loss")) and len(points) == 200 and points,
    "200 points logged in the background",
)
expect_equal([point.step for point in history], list(range(200)), "steps logged asynchronously")
data = client.get_run(run_id).data
expect_equal((data.params, data.tags["t"]), ({"p": "1", "q": "2"}, "x"), "params and tag")
