"""Artifacts: every way to log one, and the ways to list, load and download them."""

import json
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import mlflow
import numpy as np
import pandas as pd
from matplotlib import pyplot
from mlflow import MlflowClient
from PIL import Image

from expectations import expect, expect_equal, expect_names, unique

client = MlflowClient()
mlflow.set_experiment(unique("fluent-artifacts"))
work = Path(tempfile.mkdtemp(prefix="millrace-acceptance-"))

with mlflow.start_run() as run:
    run_id = run.info.run_id

    mlflow.log_text("zwei\nZeilen 🍷", "notes/ünï code.txt")
    mlflow.log_dict({"a": [1, 2.5, None], "ü": "é"}, "config.json")
    mlflow.log_dict({"a": {"b": 1}}, "config.yaml")

    # A table in two parts: the second is appended to the first.
    mlflow.log_table({"q": ["one", "two"], "n": [1, 2]}, artifact_file="table.json")
    mlflow.log_table(pd.DataFrame({"q": ["three"], "n": [3]}), artifact_file="table.json")

    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3], [1, 4, 9])
    mlflow.log_figure(figure, "plots/curve.png")
    mlflow.log_figure(figure, "plots/curve.svg")

    pixels = np.zeros((4, 6, 3), dtype=np.uint8)
    pixels[..., 0] = 200
    mlflow.log_image(pixels, "image.png")
    for step in range(2):
        mlflow.log_image(Image.fromarray(pixels), key="dogs", step=step, timestamp=1000 + step)

    (work / "tree" / "deep" / "er").mkdir(parents=True)
    (work / "tree" / "top.txt").write_text("top")
    (work / "tree" / "empty.bin").write_bytes(b"")
    (work / "tree" / "deep" / "er" / "bytes.bin").write_bytes(bytes(range(256)) * 4096)
    mlflow.log_artifacts(str(work / "tree"))
    mlflow.log_artifacts(str(work / "tree"), artifact_path="copy of/tree")
    mlflow.log_artifact(str(work / "tree" / "top.txt"), artifact_path="single")
    mlflow.log_artifact(str(work / "tree" / "deep"))
    client.log_artifact(run_id, str(work / "tree" / "top.txt"), "by-client")

uri = client.get_run(run_id).info.artifact_uri


def listed(path: str | None = None) -> dict[str, tuple[bool, int | None]]:
    return {
        entry.path: (entry.is_dir, entry.file_size) for entry in client.list_artifacts(run_id, path)
    }


root = listed()
expect_names(
    root,
    ["notes", "config.json", "config.yaml", "table.json", "plots", "image.png", "images", "top.txt",
     "empty.bin", "deep", "copy of", "single", "by-client"],
    "root of the artifacts",
)
expect_equal(root["deep"], (True, None), "a folder")
expect_equal(root["top.txt"], (False, 3), "a file of three bytes")
expect_equal(listed("deep/er"), {"deep/er/bytes.bin": (False, 1048576)}, "a deep folder")
expect_equal(listed("copy of"), {"copy of/tree": (True, None)}, "a folder with a space")
expect_equal(listed("absent"), {}, "a missing folder")
expect_equal(listed("top.txt"), {}, "the path of a file")

expect_equal(
    mlflow.artifacts.load_text(f"{uri}/notes/ünï code.txt"), "zwei\nZeilen 🍷", "text"
)
expect_equal(
    mlflow.artifacts.load_dict(f"{uri}/config.json"), {"a": [1, 2.5, None], "ü": "é"}, "JSON"
)
expect_equal(client.download_artifacts(run_id, "config.yaml", str(work)).endswith("yaml"), True, "")
expect((work / "config.yaml").read_text().startswith("a:\n  b: 1"), "YAML")

table = mlflow.load_table("table.json", run_ids=[run_id], extra_columns=["run_id"])
expect_equal(list(table["q"]), ["one", "two", "three"], "table, column q")
expect_equal(set(table["run_id"]), {run_id}, "table, run ids")
tag = json.loads(client.get_run(run_id).data.tags["mlflow.loggedArtifacts"])
expect_equal(tag, [{"path": "table.json", "type": "table"}], "tag of the tables")

image = mlflow.artifacts.load_image(f"{uri}/image.png")
expect_equal(np.asarray(image).tolist(), pixels.tolist(), "pixels")
dogs = listed("images")
expect_equal(len([path for path in dogs if path.endswith(".png")]), 2, f"images in steps: {dogs}")
expect(all("dogs" in path for path in dogs), f"names of the images: {dogs}")
expect_equal(client.get_run(run_id).data.tags.get("mlflow.loggedImages"), "True", "image tag")

# Downloads: a file, a folder, everything; by run, by address, through the client.
file = mlflow.artifacts.download_artifacts(f"{uri}/deep/er/bytes.bin")
expect_equal(Path(file).read_bytes(), bytes(range(256)) * 4096, "bytes of a file")
everything = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(work / "all")))
expect_equal((everything / "empty.bin").read_bytes(), b"", "an empty file")
expect_equal((everything / "copy of/tree/top.txt").read_text(), "top", "a file in a folder")
expect((everything / "plots/curve.png").read_bytes().startswith(b"\x89PNG"), "a figure")
expect("<svg" in (everything / "plots/curve.svg").read_text(), "a figure as SVG")
part = Path(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/copy of", dst_path=str(work)))
expect_equal((part / "tree/deep/er/bytes.bin").stat().st_size, 1048576, "a folder by address")
found = {entry.path for entry in mlflow.artifacts.list_artifacts(run_id=run_id)}
expect_equal(found, set(root), "list_artifacts of the fluent API")

# Overwriting replaces the whole file.
with mlflow.start_run(run_id=run_id):
    mlflow.log_text("short", "notes/ünï code.txt")
expect_equal(mlflow.artifacts.load_text(f"{uri}/notes/ünï code.txt"), "short", "once overwritten")
try:
    answer = mlflow.artifacts.download_artifacts(f"{uri}/absent.txt")
except Exception as error:
    print(f"a missing artifact: {type(error).__name__}: {error}")
else:
    expect(False, f"downloading a missing artifact answered {answer}")
