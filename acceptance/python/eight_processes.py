"""Eight processes log to one run at once; afterwards every point, param, tag and file is there."""

import subprocess
import sys

import mlflow
from mlflow import MlflowClient

PROCESSES = 8
STEPS = 60


def work(run_id: str, index: int) -> None:
    client = MlflowClient()
    with mlflow.start_run(run_id=run_id):
        for step in range(STEPS):
            mlflow.log_metric("shared", index + step / 1000, step=index * STEPS + step)
            mlflow.log_metric(f"own.{index}", float(step), step=step)
        mlflow.log_params({f"p{index}.{n}": n for n in range(20)})
        mlflow.log_param("common", "equal")
        mlflow.set_tags({f"t{index}": str(index), "contended": str(index)})
        mlflow.log_text(f"from {index}", f"texts/{index}.txt")
        client.log_batch(
            run_id,
            metrics=[
                mlflow.entities.Metric("batch", float(index), 1000 + step, index * 500 + step)
                for step in range(500)
            ],
        )


def main() -> None:
    from expectations import expect, expect_equal, unique

    client = MlflowClient()
    mlflow.set_experiment(unique("eight-processes"))
    with mlflow.start_run() as run:
        run_id = run.info.run_id
    workers = [
        subprocess.Popen([sys.executable, __file__, run_id, str(index)])
        for index in range(PROCESSES)
    ]
    statuses = [worker.wait() for worker in workers]
    expect_equal(statuses, [0] * PROCESSES, "exit statuses of the processes")

    def points(key: str) -> list[tuple[int, float]]:
        return sorted((m.step, m.value) for m in client.get_metric_history(run_id, key))

    data = client.get_run(run_id).data
    shared = [
        (index * STEPS + step, index + step / 1000)
        for index in range(PROCESSES)
        for step in range(STEPS)
    ]
    expect_equal(points("shared"), shared, "points of the shared metric")
    expect_equal(data.metrics["shared"], shared[-1][1], "latest point of the shared metric")
    for index in range(PROCESSES):
        own = [(step, float(step)) for step in range(STEPS)]
        expect_equal(points(f"own.{index}"), own, f"points of process {index}")
        texts = mlflow.artifacts.load_text(f"runs:/{run_id}/texts/{index}.txt")
        expect_equal(texts, f"from {index}", f"text of process {index}")
    batch = [(i * 500 + step, float(i)) for i in range(PROCESSES) for step in range(500)]
    expect_equal(points("batch"), batch, "points of the batches")
    params = {f"p{i}.{n}": str(n) for i in range(PROCESSES) for n in range(20)}
    expect_equal(data.params, params | {"common": "equal"}, "params")
    for index in range(PROCESSES):
        expect_equal(data.tags[f"t{index}"], str(index), f"tag of process {index}")
    expect(int(data.tags["contended"]) in range(PROCESSES), data.tags["contended"])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work(sys.argv[1], int(sys.argv[2]))
    else:
        main()
