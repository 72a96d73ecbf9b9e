"""Autologging of scikit-learn: one model, then a grid search with a child run per setting."""

import json
import warnings

import mlflow
import numpy as np
from mlflow import MlflowClient
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from expectations import CLIENT_MAJOR, expect, expect_close, expect_equal, expect_names, unique

warnings.filterwarnings("ignore", category=UserWarning)

features, target = load_diabetes(return_X_y=True, as_frame=True)
client = MlflowClient()
experiment = mlflow.set_experiment(unique("autolog-sklearn"))
mlflow.sklearn.autolog(log_input_examples=True, log_model_signatures=True, max_tuning_runs=None)

# Without a run of the user's, autologging makes one and ends it.
single = Ridge(alpha=2.0).fit(features, target)
run = mlflow.last_active_run()
run = client.get_run(run.info.run_id)
expect_equal(run.info.status, "FINISHED", "status of the autologged run")
expect_equal(run.data.params["alpha"], "2.0", "param alpha")
expect_equal(run.data.tags["estimator_name"], "Ridge", "tag estimator_name")
expect_close(run.data.metrics["training_r2_score"], single.score(features, target), "training R²")
expect_equal(len(run.inputs.dataset_inputs), 1, "data sets of the run")
dataset = run.inputs.dataset_inputs[0].dataset
columns = [column["name"] for column in json.loads(dataset.schema)["mlflow_colspec"]]
expect_equal(columns, list(features.columns), "columns of the data set")
expect_equal(json.loads(dataset.profile), {"num_rows": 442, "num_elements": 4420}, "profile")
artifacts = [entry.path for entry in client.list_artifacts(run.info.run_id)]
expect("estimator.html" in artifacts, f"artifacts: {artifacts}")
loaded = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
np.testing.assert_allclose(loaded.predict(features), single.predict(features), rtol=1e-12)
expect_equal(len(loaded.input_example), 5, "rows of the autologged input example")

if CLIENT_MAJOR >= 3:
    models = mlflow.search_logged_models(
        [experiment.experiment_id], f"source_run_id = '{run.info.run_id}'", output_format="list"
    )
    expect_equal(len(models), 1, "logged models of the run")
    expect_equal(str(models[0].status), "READY", "status of the logged model")
    linked = {metric.key: metric.value for metric in models[0].metrics or []}
    expect_close(
        linked["training_r2_score"], run.data.metrics["training_r2_score"], "R² at the model"
    )
    expect_equal(models[0].params["alpha"], "2.0", "param of the logged model")
    outputs = [output.model_id for output in run.outputs.model_outputs]
    expect_equal(outputs, [models[0].model_id], "models put out by the run")

# A search logs the best model at the parent and one child for each setting.
alphas = [0.01, 0.1, 1.0, 10.0]
search = GridSearchCV(Ridge(), {"alpha": alphas}, cv=3)
with mlflow.start_run(run_name="search") as parent:
    search.fit(features, target)
parent = client.get_run(parent.info.run_id)
expect_equal(parent.data.params["best_alpha"], str(search.best_params_["alpha"]), "best_alpha")
expect_close(parent.data.metrics["best_cv_score"], search.best_score_, "best_cv_score")

children = mlflow.search_runs(
    [experiment.experiment_id],
    f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
    order_by=["metrics.mean_test_score DESC"],
)
expect_names(children["params.alpha"], [str(alpha) for alpha in alphas], "alpha of the children")
expect_close(children["metrics.mean_test_score"].iloc[0], search.best_score_, "best child")
expect(children["status"].eq("FINISHED").all(), f"status of the children: {children['status']}")

paths = {entry.path for entry in client.list_artifacts(parent.info.run_id)}
expect("cv_results.csv" in paths, f"artifacts of the parent: {paths}")
best = mlflow.sklearn.load_model(f"runs:/{parent.info.run_id}/best_estimator")
np.testing.assert_allclose(best.predict(features), search.predict(features), rtol=1e-12)
