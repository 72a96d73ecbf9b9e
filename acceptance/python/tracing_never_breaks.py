"""Tracing and GenAI calls inside training code never break it, and never hold it up.

A server may leave those families out (it then answers 404 for their routes). Then the background
export of traces may warn, training goes on, and a call that must return data raises a clear
MlflowException at once. On a server that has them everything succeeds.
"""

import os
import time
import warnings
from collections.abc import Callable
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from expectations import (
    CLIENT_MAJOR,
    expect,
    expect_equal,
    expect_names,
    model_location,
    skip_part,
    unique,
)

warnings.filterwarnings("ignore", category=UserWarning)

# Set by the runner where the server is a real MLflow: there, no call may fail.
HAS_TRACING = os.environ.get("ACCEPTANCE_SERVER") == "mlflow"
CALL_LIMIT_S = 10.0

client = MlflowClient()
experiment = mlflow.set_experiment(unique("tracing"))
features, target = load_diabetes(return_X_y=True, as_frame=True)


def timed(what: str, call: Callable[[], Any]) -> Any:
    started = time.monotonic()
    try:
        return call()
    finally:
        seconds = time.monotonic() - started
        expect(seconds < CALL_LIMIT_S, f"{what} took {seconds:.1f} s")


def answers_or_refuses(what: str, call: Callable[[], Any]) -> Any:
    """The call answers or, where the family is left out, raises an MlflowException that says why."""
    try:
        answer = timed(what, call)
    except MlflowException as error:
        expect(not HAS_TRACING, f"{what} failed: {error}")
        expect(str(error).strip(), f"{what} raised an exception without a message")
        print(f"{what}: refused: {error.error_code}: {str(error)[:120]}", flush=True)
        return None
    print(f"{what}: answered", flush=True)
    return answer


# Inside training code: a decorated function, spans, nested ones, one that fails.
@mlflow.trace(name="preprocess", attributes={"kind": "scaling"})
def preprocess(frame: pd.DataFrame) -> pd.DataFrame:
    return (frame - frame.mean()) / frame.std()


@mlflow.trace
def failing_step() -> None:
    raise ValueError("on purpose")


class Traced(mlflow.pyfunc.PythonModel):
    @mlflow.trace
    def predict(self, context, model_input, params=None):
        with mlflow.start_span("inner") as span:
            span.set_inputs({"rows": len(model_input)})
            return np.zeros(len(model_input))


def train() -> str:
    mlflow.autolog()
    with mlflow.start_run() as run:
        with mlflow.start_span("epoch") as span:
            span.set_attribute("lr", 0.1)
            scaled = preprocess(features)
            model = Ridge(alpha=2.0).fit(scaled, target)
            span.set_outputs({"score": model.score(scaled, target)})
        try:
            failing_step()
        except ValueError:
            mlflow.set_tag("failed_step", "seen")
        mlflow.log_metric("after", 1.0)
        info = mlflow.pyfunc.log_model(
            **model_location("traced"),
            python_model=Traced(),
            input_example=features.head(2),
            pip_requirements=["mlflow"],
        )
        loaded = mlflow.pyfunc.load_model(info.model_uri)
        expect_equal(loaded.predict(features.head(2)).tolist(), [0.0, 0.0], "traced prediction")
    return run.info.run_id


started = time.monotonic()
run_id = train()
expect(time.monotonic() - started < 60, f"training took {time.monotonic() - started:.1f} s")
run = client.get_run(run_id)
expect_equal(run.info.status, "FINISHED", "status of the training run")
expect_equal(run.data.params["alpha"], "2.0", "autologged param")
expect_equal(run.data.metrics["after"], 1.0, "metric logged after the spans")
expect_equal(run.data.tags["failed_step"], "seen", "the error of the step reached the script")

if CLIENT_MAJOR >= 3:
    timed("flush_trace_async_logging", mlflow.flush_trace_async_logging)
    trace_id = mlflow.get_last_active_trace_id()
    expect(trace_id, "no trace id after a traced function")

    traces = answers_or_refuses(
        "search_traces", lambda: mlflow.search_traces(locations=[experiment.experiment_id])
    )
    if HAS_TRACING:
        expect(len(traces) >= 3, f"traces found: {traces}")
    timed("get_trace", lambda: mlflow.get_trace(trace_id))
    answers_or_refuses("set_trace_tag", lambda: mlflow.set_trace_tag(trace_id, "k", "v"))
    answers_or_refuses("delete_trace_tag", lambda: mlflow.delete_trace_tag(trace_id, "k"))
    feedback = answers_or_refuses(
        "log_feedback", lambda: mlflow.log_feedback(trace_id=trace_id, name="good", value=True)
    )
    answers_or_refuses(
        "log_expectation", lambda: mlflow.log_expectation(trace_id=trace_id, name="e", value="x")
    )
    if feedback is not None:
        answers_or_refuses(
            "delete_assessment",
            lambda: mlflow.delete_assessment(trace_id, feedback.assessment_id),
        )
    answers_or_refuses(
        "link_traces_to_run", lambda: client.link_traces_to_run([trace_id], run_id)
    )
    answers_or_refuses(
        "delete_traces",
        lambda: client.delete_traces(experiment.experiment_id, trace_ids=[trace_id]),
    )

    # Light calls of mlflow.genai.
    dataset = answers_or_refuses(
        "create_dataset",
        lambda: mlflow.genai.create_dataset(
            name=unique("data"), experiment_id=experiment.experiment_id
        ),
    )
    if dataset is not None:
        answers_or_refuses(
            "merge_records",
            lambda: dataset.merge_records([{"inputs": {"q": "1"}, "expectations": {"a": "2"}}]),
        )
    answers_or_refuses(
        "search_datasets",
        lambda: mlflow.genai.search_datasets(experiment_ids=[experiment.experiment_id]),
    )

    answers_or_refuses(
        "scorer.register",
        lambda: mlflow.genai.scorers.RelevanceToQuery().register(
            name="relevant", experiment_id=experiment.experiment_id
        ),
    )
    answers_or_refuses(
        "list_scorers",
        lambda: mlflow.genai.list_scorers(experiment_id=experiment.experiment_id),
    )

    # Prompts need nothing but the registry, so they work on every server.
    name = unique("prompt")
    prompt = timed(
        "register_prompt",
        lambda: mlflow.genai.register_prompt(
            name, "Say {{word}} to {{ünï}}.", commit_message="first", tags={"lang": "en"}
        ),
    )
    expect_equal((prompt.name, prompt.version), (name, 1), "registered prompt")
    mlflow.genai.register_prompt(name, "Shout {{word}}!")
    mlflow.genai.set_prompt_alias(name, "live", 1)
    for address in (f"prompts:/{name}/1", f"prompts:/{name}@live"):
        loaded = timed("load_prompt", lambda text=address: mlflow.genai.load_prompt(text))
        expect_equal(
            loaded.format(word="hello", ünï="you"), "Say hello to you.", f"text of {address}"
        )
    expect_equal(mlflow.genai.load_prompt(name, 2).template, "Shout {{word}}!", "second version")
    found = timed("search_prompts", lambda: mlflow.genai.search_prompts(f"name = '{name}'"))
    expect_names([one.name for one in found], [name], "prompts found")
    ordinary = unique("ordinary")
    client.create_registered_model(ordinary)
    listed = client.search_registered_models(f"name LIKE '%{unique('')}'")
    expect_names([one.name for one in listed], [ordinary], "models found; prompts are hidden")
    mlflow.genai.delete_prompt_alias(name, "live")
else:
    answers_or_refuses(
        "search_traces", lambda: mlflow.search_traces(experiment_ids=[experiment.experiment_id])
    )
    skip_part("feedback, prompts and mlflow.genai", "new in client 3.x")

# And the client still works.
with mlflow.start_run(run_id=run_id):
    mlflow.log_metric("after", 2.0, step=1)
expect_equal(client.get_run(run_id).data.metrics["after"], 2.0, "metric logged at the end")
