"""The `mlflow` command: every verb of its groups experiments, runs and artifacts."""

import csv
import io
import json
import subprocess
import sys
import tempfile
from multiprocessing.pool import Pool
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from expectations import CLIENT_MAJOR, expect, expect_equal, skip_part, unique
from mlflow_command import command_pool, run_command


def together(pool: Pool, *calls: tuple[str, ...]) -> list[str]:
    """Runs commands that do not depend on each other and returns what each printed."""
    outputs = []
    for call, (status, output, errors) in zip(calls, pool.map(run_command, calls, 1), strict=True):
        expect_equal(status, 0, f"mlflow {' '.join(call)}, which printed {output}{errors}")
        outputs.append(output)
    return outputs


def main(pool: Pool) -> None:
    client = MlflowClient()
    work = Path(tempfile.mkdtemp(prefix="millrace-acceptance-"))

    # Experiments.
    name = unique("command-line")
    created, empty = together(
            pool,
        ("experiments", "create", "-n", name),
        ("experiments", "create", "--experiment-name", unique("command-line-empty")),
    )
    experiment_id = client.get_experiment_by_name(name).experiment_id
    empty_id = client.get_experiment_by_name(unique("command-line-empty")).experiment_id
    expect(created.strip().endswith(f"with id {experiment_id}"), f"create printed {created}")
    renamed = unique("command-line-renamed")
    together(
            pool,
        ("experiments", "rename", "-x", experiment_id, "--new-name", renamed),
        ("experiments", "delete", "-x", empty_id),
    )
    expect_equal(client.get_experiment(experiment_id).name, renamed, "renamed experiment")
    expect_equal(client.get_experiment(empty_id).lifecycle_stage, "deleted", "deleted experiment")
    active, deleted = together(
            pool,
        ("experiments", "search"), ("experiments", "search", "--view", "deleted_only")
    )
    expect(renamed in active and unique("command-line-empty") not in active, f"active: {active}")
    expect(unique("command-line-empty") in deleted, f"deleted: {deleted}")
    expect(renamed not in deleted, f"deleted: {deleted}")
    restored, again = together(
            pool,
        ("experiments", "restore", "-x", empty_id), ("experiments", "search", "--view", "all")
    )
    expect_equal(client.get_experiment(empty_id).lifecycle_stage, "active", "restored experiment")
    expect(renamed in again and unique("command-line-empty") in again, f"all: {again}")
    status, output, errors = pool.apply(run_command, (("experiments", "delete", "-x", "98765432"),))
    expect_equal(status, 1, "exit status of deleting an unknown experiment")
    expect("No Experiment with id=98765432 exists" in output + errors, output + errors)
    # Once as the program that users start.
    done = subprocess.run(
        [Path(sys.executable).with_name("mlflow"), "experiments", "search"],
        capture_output=True,
        text=True,
    )
    expect(done.returncode == 0 and renamed in done.stdout, done.stdout + done.stderr)

    # Runs.
    mlflow.set_experiment(experiment_id=experiment_id)
    with mlflow.start_run(run_name="first") as run:
        run_id = run.info.run_id
        mlflow.log_param("lr", 0.1)
        mlflow.log_metric("acc", 0.75, step=2)
    with mlflow.start_run(run_name="second") as second:
        pass

    # Artifacts.
    (work / "tree" / "in ner").mkdir(parents=True)
    (work / "tree" / "in ner" / "b.bin").write_bytes(bytes(range(256)))
    (work / "a.txt").write_text("A")
    listed, described, table, *_ = together(
            pool,
        ("runs", "list", "--experiment-id", experiment_id),
        ("runs", "describe", "--run-id", run_id),
        ("experiments", "csv", "-x", experiment_id),
        ("experiments", "csv", "-x", experiment_id, "-o", str(work / "runs.csv")),
        ("runs", "delete", "--run-id", second.info.run_id),
        ("artifacts", "log-artifact", "-l", str(work / "a.txt"), "-r", run_id),
        ("artifacts", "log-artifact", "-l", str(work / "a.txt"), "-r", run_id, "-a", "sub"),
        ("artifacts", "log-artifacts", "-l", str(work / "tree"), "-r", run_id, "-a", "tree"),
    )
    expect(run_id in listed and "first" in listed, f"runs list: {listed}")
    data = json.loads(described)
    expect_equal(data["data"]["params"], {"lr": "0.1"}, "params described")
    expect_equal(data["data"]["metrics"], {"acc": 0.75}, "metrics described")
    rows = {row["run_id"]: row for row in csv.DictReader(io.StringIO(table))}
    expect_equal(rows[run_id]["metrics.acc"], "0.75", "metric in the CSV")
    rows = {row["run_id"]: row for row in csv.DictReader((work / "runs.csv").open())}
    expect_equal(rows[run_id]["params.lr"], "0.1", "param in the CSV file")
    expect_equal(client.get_run(second.info.run_id).info.lifecycle_stage, "deleted", "deleted run")

    gone, listed, inner, *downloads = together(
            pool,
        ("runs", "list", "--experiment-id", experiment_id, "--view", "deleted_only"),
        ("artifacts", "list", "-r", run_id),
        ("artifacts", "list", "-r", run_id, "-a", "tree/in ner"),
        ("artifacts", "download", "-r", run_id, "-a", "tree", "-d", str(work / "down")),
        ("artifacts", "download", "-u", f"runs:/{run_id}/sub/a.txt", "-d", str(work / "down")),
    )
    expect(second.info.run_id in gone and run_id not in gone, f"deleted runs: {gone}")
    together(pool, ("runs", "restore", "--run-id", second.info.run_id))
    expect_equal(client.get_run(second.info.run_id).info.lifecycle_stage, "active", "restored run")
    expect_equal(
        [(entry["path"], entry["is_dir"]) for entry in json.loads(listed)],
        [("a.txt", False), ("sub", True), ("tree", True)],
        "artifacts of the run",
    )
    (file,) = json.loads(inner)
    # The size is a string in the output of newer clients.
    expect_equal(
        (file["path"], file["is_dir"], int(file["file_size"])),
        ("tree/in ner/b.bin", False, 256),
        "artifacts of a folder",
    )
    copied = Path(downloads[0].strip().splitlines()[-1])
    expect_equal((copied / "in ner" / "b.bin").read_bytes(), bytes(range(256)), "downloaded folder")
    expect_equal(Path(downloads[1].strip().splitlines()[-1]).read_text(), "A", "downloaded file")

    # Verbs of newer clients.
    if CLIENT_MAJOR >= 3:
        got, by_name, started, limited = together(
            pool,
            ("experiments", "get", "-x", experiment_id, "--output", "json"),
            ("experiments", "get", "-n", renamed),
            ("runs", "create", "--experiment-id", experiment_id, "--run-name", "by command",
             "--description", "why", "-t", "env=prod", "--status", "FAILED",
             "--parent-run-id", run_id),
            ("experiments", "search", "--max-results", "1"),
        )
        expect_equal(json.loads(got)["name"], renamed, "experiments get as JSON")
        expect(renamed in by_name, f"experiments get: {by_name}")
        expect_equal(len(limited.strip().splitlines()), 3, f"lines of {limited}")
        made = client.get_run(json.loads(started[started.index("{"):])["run_id"])
        expect_equal((made.info.status, made.data.tags["env"]), ("FAILED", "prod"), "runs create")
        expect_equal(made.data.tags["mlflow.parentRunId"], run_id, "parent of the created run")
        together(
            pool,
            ("experiments", "update", "-x", experiment_id, "--trace-archival-retention", "30d"),
        )
        tags = client.get_experiment(experiment_id).tags
        expect(any("etention" in key for key in tags), f"tags of the updated experiment: {tags}")
    else:
        skip_part("experiments get and update, runs create", "new in the command of client 3.x")


if __name__ == "__main__":
    with command_pool(2) as commands:
        main(commands)
