"""search_runs: filters, order, the frame's content, paging; and several experiments at once."""

import math

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from expectations import expect, expect_equal, expect_names, expect_refused, unique

client = MlflowClient()
name = unique("fluent-search-runs")
experiment_id = mlflow.create_experiment(name)
other_id = mlflow.create_experiment(unique("fluent-search-runs-other"))


def make(run: str, start: int, metrics: dict, params: dict, tags: dict, status: str) -> str:
    created = client.create_run(experiment_id, start_time=start, run_name=run)
    run_id = created.info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, 1, 0) for key, value in metrics.items()],
        params=[Param(key, value) for key, value in params.items()],
        tags=[RunTag(key, value) for key, value in tags.items()],
    )
    client.set_terminated(run_id, status=status, end_time=start + 500)
    return run_id


ids = {
    "a": make("a", 1000, {"acc": 0.9, "loss.v": 1}, {"lr": "0.1"}, {"k": "Blue"}, "FINISHED"),
    "b": make("b", 2000, {"acc": math.nan}, {"lr": "0.2"}, {"k": "blue"}, "FAILED"),
    "c": make("c", 3000, {"acc": 0.5}, {"model/kind": "x y"}, {}, "FINISHED"),
    "d": make("d", 4000, {}, {"lr": "0.1"}, {"a b": "1"}, "KILLED"),
}


def names_of(filter_string: str = "", order_by: list[str] | None = None) -> str:
    found = client.search_runs([experiment_id], filter_string, order_by=order_by)
    return "".join(run.info.run_name for run in found)


# Each expectation is what an MLflow server answers.
for filter_string, order_by, expected in [
    ("", None, "dcba"),
    ("", ["start_time ASC"], "abcd"),
    ("", ["metrics.acc DESC"], "acbd"),
    ("", ["metrics.acc ASC"], "cabd"),
    ("", ["params.lr ASC", "attributes.start_time ASC"], "adbc"),
    ("", ["attributes.run_name DESC"], "dcba"),
    ("", ["tags.k DESC", "start_time ASC"], "bacd"),
    ("metrics.acc > 0.5", None, "a"),
    ("metrics.acc >= 0.5 and metrics.acc < 0.9", None, "c"),
    ("metrics.acc > -1", None, "ca"),
    ("metrics.acc != 0.5", None, "ba"),
    ("metrics.`loss.v` = 1", None, "a"),
    ('metrics."loss.v" = 1', None, "a"),
    ("params.lr = '0.1'", None, "da"),
    ("params.lr != '0.1'", None, "b"),
    ("params.`model/kind` = 'x y'", None, "c"),
    ("params.lr LIKE '0.%' AND attributes.status = 'FINISHED'", None, "a"),
    ("tags.k = 'blue'", None, "b"),
    ("tags.k LIKE 'bl%'", None, "b"),
    ("tags.k ILIKE 'BL%'", None, "ba"),
    ("tags.`a b` = '1'", None, "d"),
    ("attributes.start_time > 1000 and attributes.end_time <= 3500", None, "cb"),
    ("attributes.run_name = 'c'", None, "c"),
    ("run_name ILIKE 'C'", None, "c"),
    ("status = 'KILLED'", None, "d"),
    (f"attributes.run_id IN ('{ids['a']}', '{ids['d']}')", None, "da"),
    (f"run_id NOT IN ('{ids['a']}')", None, "dcb"),
    ("attributes.status != 'FINISHED'", ["start_time"], "bd"),
]:
    expect_equal(names_of(filter_string, order_by), expected, f"{filter_string!r} {order_by}")

for filter_string in [
    "params.lr = 0.1",
    "metrics.acc = 'high'",
    "metrics.acc LIKE '0%'",
    "metrics.acc > ",
    "attributes.nothing = 'x'",
    "nobody.lr = 'x'",
]:
    expect_refused(
        lambda text=filter_string: names_of(text), "INVALID_PARAMETER_VALUE", "", filter_string
    )

# The frame.
frame = mlflow.search_runs(experiment_names=[name], order_by=["start_time ASC"])
expect_equal(list(frame["run_id"]), list(ids.values()), "run ids of the frame")
expect_equal(list(frame["status"]), ["FINISHED", "FAILED", "FINISHED", "KILLED"], "statuses")
expect_equal(set(frame["experiment_id"]), {experiment_id}, "experiment ids")
expect_equal(frame["metrics.acc"].iloc[0], 0.9, "metrics.acc of a")
expect(pd.isna(frame["metrics.acc"].iloc[1]) and pd.isna(frame["metrics.acc"].iloc[3]), "NaN")
expect_equal(list(frame["params.lr"])[:2], ["0.1", "0.2"], "params.lr")
expect(pd.isna(frame["params.lr"].iloc[2]), "a missing param is None, NaN in newer pandas")
expect_equal(str(frame["start_time"].dtype)[:10], "datetime64", "type of start_time")
expect_equal(frame["start_time"].iloc[0], pd.Timestamp(1000, unit="ms", tz="UTC"), "start_time")
expect_equal(frame["end_time"].iloc[0], pd.Timestamp(1500, unit="ms", tz="UTC"), "end_time")
expect(frame["artifact_uri"].str.contains(experiment_id).all(), "artifact_uri")
expect({"tags.k", "tags.a b", "tags.mlflow.runName"} <= set(frame.columns), f"{frame.columns}")
as_list = mlflow.search_runs([experiment_id], output_format="list", max_results=2)
expect_equal([run.info.run_name for run in as_list], ["d", "c"], "max_results with a list")

# Paging, with equal sort keys: every run once.
for _ in range(23):
    client.create_run(other_id, start_time=7000)
seen: list[str] = []
token = None
while True:
    page = client.search_runs([other_id], max_results=5, page_token=token)
    seen += [run.info.run_id for run in page]
    token = page.token
    if not token:
        break
    expect_equal(len(page), 5, "size of a page that has a successor")
expect_equal((len(seen), len(set(seen))), (23, 23), "runs over all pages")
expect_equal(seen, sorted(seen), "ties are ordered by run id")
both = mlflow.search_runs([experiment_id, other_id])
expect_equal(len(both), 27, "runs of two experiments")
across = mlflow.search_runs(search_all_experiments=True, filter_string="params.lr = '0.2'")
expect(ids["b"] in set(across["run_id"]), "the run is found among all experiments")
expect_names(mlflow.search_runs([experiment_id], "metrics.acc > 5")["run_id"], [], "no match")
