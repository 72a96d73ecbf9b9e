"""The main job: tune a model on real data, pick the best, promote it, load it back.

ElasticNet on the white-wine data over a grid of 12 settings, each a nested run; the best one by
RMSE is registered, gets an alias and a stage, and predicts the same values when loaded back.
"""

import warnings

import mlflow
import numpy as np
import pandas as pd
import sklearn
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.linear_model import ElasticNet
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

from expectations import (
    expect,
    expect_close,
    expect_equal,
    expect_names,
    model_location,
    unique,
    wine_csv,
)

ALPHAS = [0.1, 0.3, 0.5, 0.7]
L1_RATIOS = [0.1, 0.5, 0.9]
# Published with the data: numpy seed 40, 25 % test, alpha = l1_ratio = 0.5, random_state 42.
KNOWN_RMSE = 0.82224284975954
MODEL = "wine"

warnings.filterwarnings("ignore", category=UserWarning)

data = pd.read_csv(wine_csv())
np.random.seed(40)
train, test = train_test_split(data)
train_x, train_y = train.drop(columns="quality").astype(float), train["quality"]
test_x, test_y = test.drop(columns="quality").astype(float), test["quality"]

# The explicit log_model below is the one under test; autolog_sklearn.py covers the other.
mlflow.sklearn.autolog(log_models=False)
experiment = mlflow.set_experiment(unique("wine"))

rmse_by_run: dict[str, float] = {}
predictions_by_run: dict[str, np.ndarray] = {}
with mlflow.start_run(run_name="grid") as parent:
    for alpha in ALPHAS:
        for l1_ratio in L1_RATIOS:
            with mlflow.start_run(nested=True, run_name=f"alpha={alpha} l1={l1_ratio}") as run:
                model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, random_state=42)
                model.fit(train_x, train_y)
                predicted = model.predict(test_x)
                rmse = float(np.sqrt(mean_squared_error(test_y, predicted)))
                mlflow.log_metric("rmse", rmse)
                mlflow.sklearn.log_model(
                    model,
                    **model_location("model"),
                    signature=infer_signature(train_x, predicted),
                    input_example=train_x.head(3),
                    # Inferring them would start a Python process for each of the models.
                    pip_requirements=[f"scikit-learn=={sklearn.__version__}"],
                )
                rmse_by_run[run.info.run_id] = rmse
                predictions_by_run[run.info.run_id] = predicted

expect_equal(len(rmse_by_run), len(ALPHAS) * len(L1_RATIOS), "number of nested runs")

found = mlflow.search_runs(
    [experiment.experiment_id],
    filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}' and metrics.rmse < 10",
    order_by=["metrics.rmse ASC"],
)
expect_names(found["run_id"], rmse_by_run, "runs found below the parent")
expect_equal(
    list(found["metrics.rmse"]), sorted(rmse_by_run.values()), "RMSE in the order of the search"
)
expect(found["status"].eq("FINISHED").all(), f"statuses: {list(found['status'])}")
# Autologged: scikit-learn's own parameters and the training scores.
for column in ("params.alpha", "params.l1_ratio", "params.fit_intercept", "params.random_state"):
    expect(column in found.columns, f"{column} was not autologged: {list(found.columns)}")
expect(found["metrics.training_mean_squared_error"].notna().all(), "training scores missing")
expect_equal(set(found["tags.estimator_name"]), {"ElasticNet"}, "tag estimator_name")

middle = found[(found["params.alpha"] == "0.5") & (found["params.l1_ratio"] == "0.5")]
expect_equal(len(middle), 1, "runs with alpha 0.5 and l1_ratio 0.5")
expect_close(middle["metrics.rmse"].iloc[0], KNOWN_RMSE, "RMSE of alpha 0.5, l1_ratio 0.5")

best_id = min(rmse_by_run, key=lambda run_id: rmse_by_run[run_id])
best = found.iloc[0]
expect_equal(best["run_id"], best_id, "best run")

client = MlflowClient()
contexts = [
    tag.value
    for entry in client.get_run(best_id).inputs.dataset_inputs
    for tag in entry.tags
    if tag.key == "mlflow.data.context"
]
# Autologging also links what was passed to predict and to the scoring function, as "eval".
expect_equal(contexts.count("train"), 1, f"training data sets among {contexts}")

version = mlflow.register_model(f"runs:/{best_id}/model", MODEL)
expect_equal((version.name, version.run_id), (MODEL, best_id), "registered version")
client.set_registered_model_alias(MODEL, "champion", version.version)
client.transition_model_version_stage(
    MODEL, version.version, "Production", archive_existing_versions=True
)

expected = predictions_by_run[best_id]
for address in ("@champion", "/Production", "/latest", f"/{version.version}"):
    loaded = mlflow.pyfunc.load_model(f"models:/{MODEL}{address}")
    np.testing.assert_array_equal(loaded.predict(test_x), expected, err_msg=address)
    expect_equal(loaded.metadata.run_id, best_id, f"run of models:/{MODEL}{address}")

native = mlflow.sklearn.load_model(f"models:/{MODEL}@champion")
expect_equal(native.get_params()["alpha"], float(best["params.alpha"]), "alpha of the loaded model")

signature = mlflow.models.get_model_info(f"models:/{MODEL}@champion").signature
expect_equal(signature.inputs.input_names(), list(train_x.columns), "columns of the signature")
example = mlflow.pyfunc.load_model(f"models:/{MODEL}@champion").input_example
pd.testing.assert_frame_equal(example, train_x.head(3).reset_index(drop=True))

stored = client.get_model_version(MODEL, version.version)
expect_equal(stored.current_stage, "Production", "stage")
expect_equal(stored.aliases, ["champion"], "aliases")
expect_equal(stored.status, "READY", "status")
alpha, l1_ratio = best["params.alpha"], best["params.l1_ratio"]
print(f"best of {len(found)} runs: alpha={alpha}, l1_ratio={l1_ratio}")
