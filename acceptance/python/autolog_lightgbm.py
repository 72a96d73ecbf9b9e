"""Autologging of LightGBM: a metric per iteration, parameters, importances, the model."""

import json
import warnings

import lightgbm
import mlflow
import numpy as np
from mlflow import MlflowClient
from sklearn.datasets import load_diabetes

from expectations import expect, expect_close, expect_equal, unique

warnings.filterwarnings("ignore", category=UserWarning)

# Before the data sets are built: autologging samples them as they are.
mlflow.lightgbm.autolog(log_input_examples=True, log_model_signatures=True)

features, target = load_diabetes(return_X_y=True, as_frame=True)
train = lightgbm.Dataset(features[:350], label=target[:350])
held_out = lightgbm.Dataset(features[350:], label=target[350:], reference=train)
rounds = 12

client = MlflowClient()
mlflow.set_experiment(unique("autolog-lightgbm"))

evaluations: dict[str, dict[str, list[float]]] = {}
with mlflow.start_run() as active:
    booster = lightgbm.train(
        {"objective": "regression", "metric": "l2", "num_leaves": 7, "num_threads": 1,
         "seed": 7, "verbose": -1},
        train,
        num_boost_round=rounds,
        valid_sets=[held_out],
        valid_names=["valid"],
        callbacks=[lightgbm.record_evaluation(evaluations)],
    )

run = client.get_run(active.info.run_id)
expect_equal(run.info.status, "FINISHED", "status")
expect_equal(run.data.params["num_leaves"], "7", "param num_leaves")
expect_equal(run.data.params["num_boost_round"], str(rounds), "param num_boost_round")

history = client.get_metric_history(active.info.run_id, "valid-l2")
expected = evaluations["valid"]["l2"]
expect_equal({metric.step for metric in history}, set(range(rounds)), "steps of valid-l2")
for step in range(rounds):
    logged = {metric.value for metric in history if metric.step == step}
    expect(expected[step] in logged, f"valid-l2 at step {step}: {expected[step]} not in {logged}")
expect_close(run.data.metrics["valid-l2"], expected[-1], "latest valid-l2")

importance = json.loads(
    mlflow.artifacts.load_text(f"{run.info.artifact_uri}/feature_importance_split.json")
)
expect_equal(
    importance,
    dict(zip(booster.feature_name(), booster.feature_importance("split").tolist(), strict=True)),
    "importances by split",
)
plots = {entry.path for entry in client.list_artifacts(active.info.run_id)}
expect({"feature_importance_split.png", "feature_importance_gain.png"} <= plots, f"{plots}")

info = mlflow.models.get_model_info(f"runs:/{active.info.run_id}/model")
expect_equal(info.signature.inputs.input_names(), list(features.columns), "signature")
loaded = mlflow.lightgbm.load_model(f"runs:/{active.info.run_id}/model")
np.testing.assert_array_equal(loaded.predict(features), booster.predict(features))
flavored = mlflow.pyfunc.load_model(f"runs:/{active.info.run_id}/model")
np.testing.assert_allclose(flavored.predict(features), booster.predict(features), rtol=1e-12)
