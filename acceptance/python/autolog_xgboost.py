"""Autologging of XGBoost: a metric per boosting round, parameters, importances, the model."""

import json
import warnings

import mlflow
import numpy as np
import xgboost
from mlflow import MlflowClient
from sklearn.datasets import load_diabetes

from expectations import expect, expect_close, expect_equal, unique

warnings.filterwarnings("ignore", category=UserWarning)

# Before the data sets are built: autologging samples them as they are.
mlflow.xgboost.autolog(log_input_examples=True, log_model_signatures=True)

features, target = load_diabetes(return_X_y=True, as_frame=True)
train = xgboost.DMatrix(features[:350], label=target[:350])
held_out = xgboost.DMatrix(features[350:], label=target[350:])
rounds = 12

client = MlflowClient()
mlflow.set_experiment(unique("autolog-xgboost"))

evaluations: dict[str, dict[str, list[float]]] = {}
with mlflow.start_run() as active:
    booster = xgboost.train(
        {"max_depth": 3, "eta": 0.3, "objective": "reg:squarederror", "nthread": 1, "seed": 7},
        train,
        num_boost_round=rounds,
        evals=[(held_out, "valid")],
        evals_result=evaluations,
        verbose_eval=False,
    )

run = client.get_run(active.info.run_id)
expect_equal(run.info.status, "FINISHED", "status")
expect_equal(run.data.params["max_depth"], "3", "param max_depth")
expect_equal(run.data.params["num_boost_round"], str(rounds), "param num_boost_round")

history = client.get_metric_history(active.info.run_id, "valid-rmse")
curve = [metric.value for metric in sorted(history, key=lambda metric: metric.step)]
expected = evaluations["valid"]["rmse"]
steps = {metric.step for metric in history}
expect_equal(steps, set(range(rounds)), "steps of valid-rmse")
for step in range(rounds):
    logged = {metric.value for metric in history if metric.step == step}
    expect(expected[step] in logged, f"valid-rmse at step {step}: {expected[step]} not in {logged}")
expect_close(run.data.metrics["valid-rmse"], curve[-1], "latest valid-rmse")

importance = json.loads(
    mlflow.artifacts.load_text(f"{run.info.artifact_uri}/feature_importance_weight.json")
)
expect_equal(
    importance, {key: value for key, value in booster.get_score().items()}, "importances"
)
plots = {entry.path for entry in client.list_artifacts(active.info.run_id)}
expect("feature_importance_weight.png" in plots, f"artifacts: {plots}")

info = mlflow.models.get_model_info(f"runs:/{active.info.run_id}/model")
expect_equal(info.signature.inputs.input_names(), list(features.columns), "signature")
loaded = mlflow.xgboost.load_model(f"runs:/{active.info.run_id}/model")
np.testing.assert_array_equal(loaded.predict(held_out), booster.predict(held_out))
flavored = mlflow.pyfunc.load_model(f"runs:/{active.info.run_id}/model")
np.testing.assert_allclose(
    flavored.predict(features[350:]), booster.predict(held_out), rtol=1e-6
)
