"""Every call of the model registry: models, versions, stages, aliases, tags, search, copies."""

import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient

from expectations import (
    CLIENT_MAJOR,
    expect,
    expect_equal,
    expect_names,
    expect_refused,
    skip_part,
    unique,
)

client = MlflowClient()
mlflow.set_experiment(unique("registry"))
name = unique("registry-model")
with mlflow.start_run() as run:
    run_id = run.info.run_id
    folder = Path(tempfile.mkdtemp(prefix="millrace-acceptance-"))
    (folder / "weights.txt").write_text("1 2 3")
    # The file by which the client knows a folder as a model.
    (folder / "MLmodel").write_text("artifact_path: model\nflavors: {}\n")
    mlflow.log_artifacts(str(folder), "model")
source = f"{client.get_run(run_id).info.artifact_uri}/model"

# Registered models.
model = client.create_registered_model(name, tags={"task": "wine", "t": "1"}, description="first")
expect_equal((model.name, model.description), (name, "first"), "created model")
expect_refused(
    lambda: client.create_registered_model(name),
    "RESOURCE_ALREADY_EXISTS",
    "already exists",
    "a model of the same name",
)
expect_refused(
    lambda: client.get_registered_model(unique("absent")),
    "RESOURCE_DOES_NOT_EXIST",
    f"Registered Model with name={unique('absent')} not found",
    "an unknown model",
)
model = client.update_registered_model(name, "second ünï")
expect_equal(model.description, "second ünï", "description of the model")
client.set_registered_model_tag(name, "t", "2")
client.set_registered_model_tag(name, "extra", "x")
client.delete_registered_model_tag(name, "extra")
model = client.get_registered_model(name)
expect_equal(model.tags, {"task": "wine", "t": "2"}, "tags of the model")
expect_equal(model.latest_versions, [], "versions of a new model")
expect(model.last_updated_timestamp >= model.creation_timestamp > 0, f"timestamps: {model}")

# Versions.
for number in ("1", "2", "3"):
    version = client.create_model_version(
        name, source, run_id=run_id, tags={"n": number}, description=f"version {number}"
    )
    expect_equal((version.version, version.status), (number, "READY"), "created version")
    expect_equal((version.current_stage, version.run_id), ("None", run_id), "stage and run")
expect_refused(
    lambda: client.create_model_version(unique("absent"), source, run_id=run_id),
    "RESOURCE_DOES_NOT_EXIST",
    "not found",
    "a version of an unknown model",
)
expect_refused(
    lambda: client.get_model_version(name, "9"),
    "RESOURCE_DOES_NOT_EXIST",
    f"Model Version (name={name}, version=9) not found",
    "an unknown version",
)
client.update_model_version(name, "2", "better")
expect_equal(client.get_model_version(name, "2").description, "better", "description")
client.set_model_version_tag(name, "2", "quality", "good")
client.set_model_version_tag(name, "2", "bad", "x")
client.delete_model_version_tag(name, "2", "bad")
expect_equal(
    client.get_model_version(name, "2").tags, {"n": "2", "quality": "good"}, "tags of version 2"
)
expect_equal(client.get_model_version_download_uri(name, "1"), source, "download address")
local = mlflow.artifacts.download_artifacts(f"models:/{name}/1")
expect_equal((Path(local) / "weights.txt").read_text(), "1 2 3", "files of version 1")

# Stages.
moved = client.transition_model_version_stage(name, "1", "production")
expect_equal(moved.current_stage, "Production", "stage, in its canonical spelling")
client.transition_model_version_stage(name, "2", "Staging")
client.transition_model_version_stage(name, "3", "Production", archive_existing_versions=True)
stages = {number: client.get_model_version(name, number).current_stage for number in "123"}
expect_equal(stages, {"1": "Archived", "2": "Staging", "3": "Production"}, "stages")
expect_refused(
    lambda: client.transition_model_version_stage(name, "1", "Moon"),
    "INVALID_PARAMETER_VALUE",
    "Moon",
    "an unknown stage",
)
latest = {one.current_stage: one.version for one in client.get_latest_versions(name)}
expect_equal(latest, {"Archived": "1", "Staging": "2", "Production": "3"}, "latest versions")
only = client.get_latest_versions(name, stages=["Staging", "None"])
expect_equal([one.version for one in only], ["2"], "latest version of two stages")
in_model = client.get_registered_model(name).latest_versions
expect_names([one.version for one in in_model], ["1", "2", "3"], "versions in the model")

# Aliases.
client.set_registered_model_alias(name, "champion", "1")
client.set_registered_model_alias(name, "champion", "2")
client.set_registered_model_alias(name, "Challenger-1", "3")
expect_equal(
    client.get_registered_model(name).aliases, {"champion": "2", "Challenger-1": "3"}, "aliases"
)
by_alias = client.get_model_version_by_alias(name, "champion")
expect_equal((by_alias.version, by_alias.aliases), ("2", ["champion"]), "version by alias")
expect_refused(
    lambda: client.get_model_version_by_alias(name, "nobody"),
    "INVALID_PARAMETER_VALUE",
    "Registered model alias nobody not found",
    "an unknown alias",
)
for reserved in ("latest", "v7"):
    expect_refused(
        lambda alias=reserved: client.set_registered_model_alias(name, alias, "1"),
        "INVALID_PARAMETER_VALUE",
        "",
        f"the reserved alias {reserved}",
    )
client.delete_registered_model_alias(name, "Challenger-1")
client.delete_registered_model_alias(name, "Challenger-1")
expect_equal(client.get_registered_model(name).aliases, {"champion": "2"}, "aliases after deleting")

# Search.
found = client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"])
expect_equal([one.version for one in found], ["1", "2", "3"], "versions in order")
for filter_string, expected in [
    (f"run_id = '{run_id}'", ["1", "2", "3"]),
    (f"name = '{name}' AND tags.quality = 'good'", ["2"]),
    (f"name = '{name}' AND version_number > 1", ["2", "3"]),
    (f"source_path = '{source}'", ["1", "2", "3"]),
]:
    found = client.search_model_versions(filter_string)
    expect_names([one.version for one in found], expected, filter_string)
names = [unique(f"registry-search-{letter}") for letter in "abc"]
for other in names:
    client.create_registered_model(other, tags={"letter": other[16]})
suffix = unique("")
for filter_string, expected in [
    (f"name LIKE 'registry-search-%{suffix}'", names),
    (f"name ILIKE 'REGISTRY-SEARCH-b%{suffix}'", names[1:2]),
    (f"name = '{names[2]}'", names[2:]),
    (f"tags.letter = 'a' AND name LIKE '%{suffix}'", names[:1]),
]:
    found = client.search_registered_models(filter_string)
    expect_names([one.name for one in found], expected, filter_string)
page = client.search_registered_models(
    f"name LIKE 'registry-search-%{suffix}'", max_results=2, order_by=["name DESC"]
)
expect_equal([one.name for one in page], names[:0:-1], "first page of models")
rest = client.search_registered_models(
    f"name LIKE 'registry-search-%{suffix}'",
    max_results=2,
    order_by=["name DESC"],
    page_token=page.token,
)
expect_equal([one.name for one in rest], names[:1], "second page of models")
expect_refused(
    lambda: client.search_registered_models("nothing = 'x'"),
    "INVALID_PARAMETER_VALUE",
    "",
    "a filter on an unknown attribute",
)

# Copies, renaming, deleting.
target = unique("registry-copy")
copy = client.copy_model_version(f"models:/{name}@champion", target)
expect_equal((copy.name, copy.version, copy.run_id), (target, "1", run_id), "copied version")
expect_equal(copy.source, f"models:/{name}/2", "source of the copy")
expect_equal(client.get_model_version_download_uri(target, "1"), source, "address of the copy")

renamed = unique("registry-renamed")
client.rename_registered_model(name, renamed)
expect_equal(client.get_model_version_by_alias(renamed, "champion").version, "2", "after renaming")
expect_refused(
    lambda: client.get_registered_model(name), "RESOURCE_DOES_NOT_EXIST", name, "the old name"
)
client.delete_model_version(renamed, "3")
expect_refused(
    lambda: client.get_model_version(renamed, "3"),
    "RESOURCE_DOES_NOT_EXIST",
    "not found",
    "a deleted version",
)
again = client.create_model_version(renamed, source, run_id=run_id)
expect_equal(again.version, "4", "a number is never used twice")
client.delete_model_version(renamed, "2")
expect_equal(client.get_registered_model(renamed).aliases, {}, "aliases of a deleted version")
client.delete_registered_model(renamed)
expect_refused(
    lambda: client.get_registered_model(renamed), "RESOURCE_DOES_NOT_EXIST", renamed, "deleted"
)
expect_equal(len(client.search_model_versions(f"name = '{renamed}'")), 0, "versions once deleted")

# The fluent functions.
fluent = unique("registry-fluent")
version = mlflow.register_model(f"runs:/{run_id}/model", fluent, tags={"by": "fluent"})
expect_equal((version.version, version.tags), ("1", {"by": "fluent"}), "register_model")
found = mlflow.search_model_versions(filter_string=f"name = '{fluent}'")
expect_equal([one.version for one in found], ["1"], "mlflow.search_model_versions")
found = mlflow.search_registered_models(filter_string=f"name = '{fluent}'")
expect_equal([one.name for one in found], [fluent], "mlflow.search_registered_models")
if CLIENT_MAJOR >= 3:
    mlflow.set_model_version_tag(fluent, "1", "k", "v")
    tags = client.get_model_version(fluent, "1").tags
    expect_equal(tags, {"by": "fluent", "k": "v"}, "tags of the version")
else:
    skip_part("mlflow.set_model_version_tag", "new in client 3.0")
