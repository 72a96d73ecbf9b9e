package org.millrace.acceptance;

import static org.millrace.acceptance.Expectations.expect;
import static org.millrace.acceptance.Expectations.expectEqual;
import static org.millrace.acceptance.Expectations.expectRefused;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.mlflow.api.proto.ModelRegistry.ModelVersion;
import org.mlflow.api.proto.Service.CreateExperiment;
import org.mlflow.api.proto.Service.CreateRun;
import org.mlflow.api.proto.Service.ExperimentTag;
import org.mlflow.api.proto.Service.Metric;
import org.mlflow.api.proto.Service.Param;
import org.mlflow.api.proto.Service.Run;
import org.mlflow.api.proto.Service.RunInfo;
import org.mlflow.api.proto.Service.RunStatus;
import org.mlflow.api.proto.Service.RunTag;
import org.mlflow.api.proto.Service.ViewType;
import org.mlflow.tracking.ActiveRun;
import org.mlflow.tracking.MlflowClient;
import org.mlflow.tracking.MlflowContext;
import org.mlflow.tracking.RunsPage;

/** Creates, logs, searches and finishes runs through MLflow's Java client, and reads the registry. */
public final class JavaClient {
  private static final String SUFFIX = UUID.randomUUID().toString().substring(0, 8);

  public static void main(String[] args) {
    String address = System.getenv("MLFLOW_TRACKING_URI");
    expect(address != null, "MLFLOW_TRACKING_URI names the server; it is not set");
    try (MlflowClient client = new MlflowClient(address)) {
      String experimentId = experiments(client);
      String runId = logging(client, experimentId);
      search(client, experimentId);
      deleting(client, experimentId, runId);
      context(client, experimentId);
      registry(client, runId);
    }
    System.out.println("The Java client did its work.");
  }

  private static String experiments(MlflowClient client) {
    String name = "java-ünï-" + SUFFIX;
    String id =
        client.createExperiment(
            CreateExperiment.newBuilder()
                .setName(name)
                .addTags(ExperimentTag.newBuilder().setKey("team").setValue("wine"))
                .build());
    expectEqual(name, client.getExperiment(id).getName(), "name of the experiment");
    expectEqual(id, client.getExperimentByName(name).orElseThrow().getExperimentId(), "by name");
    expect(client.getExperimentByName("absent-" + SUFFIX).isEmpty(), "an unknown name is empty");
    client.setExperimentTag(id, "more", "1");
    expectEqual(2, client.getExperiment(id).getTagsCount(), "tags of the experiment");
    client.renameExperiment(id, "java-" + SUFFIX);
    List<String> found =
        client.searchExperiments("name = 'java-" + SUFFIX + "'").getItems().stream()
            .map(experiment -> experiment.getExperimentId())
            .collect(Collectors.toList());
    expectEqual(List.of(id), found, "experiments found by the new name");
    client.deleteExperiment(id);
    expectEqual("deleted", client.getExperiment(id).getLifecycleStage(), "stage once deleted");
    client.restoreExperiment(id);
    expectEqual("active", client.getExperiment(id).getLifecycleStage(), "stage once restored");
    expectRefused(
        () -> client.getExperiment("98765432"), "RESOURCE_DOES_NOT_EXIST", "unknown experiment");
    return id;
  }

  private static String logging(MlflowClient client, String experimentId) {
    RunInfo created =
        client.createRun(
            CreateRun.newBuilder()
                .setExperimentId(experimentId)
                .setRunName("from Java")
                .setStartTime(1000)
                .addTags(RunTag.newBuilder().setKey("k").setValue("v"))
                .build());
    String runId = created.getRunId();
    expectEqual(RunStatus.RUNNING, created.getStatus(), "status of a new run");

    client.logParam(runId, "lr", "0.1");
    client.logMetric(runId, "loss", 0.5);
    for (int step = 0; step < 5; step++) {
      client.logMetric(runId, "acc", step / 10.0, 2000 + step, step);
    }
    client.logMetric(runId, "nan", Double.NaN, 1, 0);
    client.setTag(runId, "text", "ünï 🍷");
    client.setTag(runId, "gone", "x");
    client.deleteTag(runId, "gone");
    List<Metric> metrics = new ArrayList<>();
    for (int n = 0; n < 500; n++) {
      metrics.add(
          Metric.newBuilder().setKey("batch").setValue(n).setTimestamp(n).setStep(n).build());
    }
    client.logBatch(
        runId,
        metrics,
        List.of(Param.newBuilder().setKey("p").setValue("q").build()),
        List.of(RunTag.newBuilder().setKey("t").setValue("u").build()));
    client.setTerminated(runId, RunStatus.FINISHED, 9000);

    Run run = client.getRun(runId);
    expectEqual(RunStatus.FINISHED, run.getInfo().getStatus(), "status");
    expectEqual(1000L, run.getInfo().getStartTime(), "start time");
    expectEqual(9000L, run.getInfo().getEndTime(), "end time");
    expectEqual("from Java", run.getInfo().getRunName(), "run name");
    Map<String, String> params = new HashMap<>();
    run.getData().getParamsList().forEach(param -> params.put(param.getKey(), param.getValue()));
    expectEqual(Map.of("lr", "0.1", "p", "q"), params, "params");
    Map<String, Double> latest = new HashMap<>();
    run.getData().getMetricsList().forEach(one -> latest.put(one.getKey(), one.getValue()));
    expectEqual(
        Map.of("loss", 0.5, "acc", 0.4, "nan", Double.NaN, "batch", 499.0), latest, "metrics");
    Map<String, String> tags = new HashMap<>();
    run.getData().getTagsList().forEach(tag -> tags.put(tag.getKey(), tag.getValue()));
    expectEqual("ünï 🍷", tags.get("text"), "tag in Unicode");
    expectEqual("u", tags.get("t"), "tag of the batch");
    expect(!tags.containsKey("gone"), "the deleted tag is still there");

    List<Metric> history = client.getMetricHistory(runId, "acc");
    expectEqual(
        List.of(0L, 1L, 2L, 3L, 4L),
        history.stream().map(Metric::getStep).collect(Collectors.toList()),
        "steps of the history");
    expectEqual(2003L, history.get(3).getTimestamp(), "timestamp in the history");
    expectEqual(500, client.getMetricHistory(runId, "batch").size(), "points of the batch");
    expectRefused(
        () -> client.logParam(runId, "lr", "0.2"), "INVALID_PARAMETER_VALUE", "changed param");
    return runId;
  }

  private static void search(MlflowClient client, String experimentId) {
    for (int n = 0; n < 6; n++) {
      RunInfo run =
          client.createRun(
              CreateRun.newBuilder()
                  .setExperimentId(experimentId)
                  .setRunName("s" + n)
                  .setStartTime(10_000 + n)
                  .build());
      client.logMetric(run.getRunId(), "score", n * 1.5);
      client.logParam(run.getRunId(), "group", n % 2 == 0 ? "even" : "odd");
      client.setTerminated(run.getRunId(), n == 5 ? RunStatus.FAILED : RunStatus.FINISHED);
    }
    List<String> in = List.of(experimentId);
    RunsPage page =
        client.searchRuns(
            in, "metrics.score >= 1.5", ViewType.ACTIVE_ONLY, 2, List.of("metrics.score DESC"));
    List<String> names = new ArrayList<>();
    names.addAll(namesOf(page.getItems()));
    while (page.hasNextPage()) {
      page = (RunsPage) page.getNextPage();
      names.addAll(namesOf(page.getItems()));
    }
    expectEqual(List.of("s5", "s4", "s3", "s2", "s1"), names, "runs over pages, by metric DESC");
    names =
        namesOf(
            client
                .searchRuns(
                    in,
                    "params.group = 'even' and attributes.status = 'FINISHED'",
                    ViewType.ALL,
                    100,
                    List.of("attributes.start_time ASC"))
                .getItems());
    expectEqual(List.of("s0", "s2", "s4"), names, "runs by param and status");
    expectRefused(
        () -> client.searchRuns(in, "metrics.score > 'high'"),
        "INVALID_PARAMETER_VALUE",
        "a metric compared with text");
  }

  private static List<String> namesOf(List<Run> runs) {
    return runs.stream().map(run -> run.getInfo().getRunName()).collect(Collectors.toList());
  }

  private static void deleting(MlflowClient client, String experimentId, String runId) {
    client.deleteRun(runId);
    expectEqual("deleted", client.getRun(runId).getInfo().getLifecycleStage(), "deleted run");
    List<Run> deleted =
        client.searchRuns(List.of(experimentId), "", ViewType.DELETED_ONLY, 10).getItems();
    expectEqual(List.of("from Java"), namesOf(deleted), "deleted runs found");
    client.restoreRun(runId);
    expectEqual("active", client.getRun(runId).getInfo().getLifecycleStage(), "restored run");
  }

  /** The fluent part of the client: a run, and one nested in it. */
  private static void context(MlflowClient client, String experimentId) {
    MlflowContext context = new MlflowContext(client);
    context.setExperimentId(experimentId);
    ActiveRun parent = context.startRun("parent");
    parent.logParam("a", "1");
    parent.logParams(Map.of("b", "2", "c", "3"));
    parent.logMetrics(Map.of("x", 1.0, "y", 2.0), 7);
    parent.setTags(Map.of("d", "4"));
    ActiveRun child = context.startRun("child", parent.getId());
    child.endRun(RunStatus.KILLED);
    parent.endRun();
    Run found = client.getRun(parent.getId());
    expectEqual(RunStatus.FINISHED, found.getInfo().getStatus(), "status of the parent");
    expectEqual(3, found.getData().getParamsCount(), "params of the parent");
    expectEqual(7L, found.getData().getMetrics(0).getStep(), "step of the parent's metrics");
    List<Run> children =
        client
            .searchRuns(
                List.of(experimentId),
                "tags.mlflow.parentRunId = '" + parent.getId() + "'",
                ViewType.ACTIVE_ONLY,
                10)
            .getItems();
    expectEqual(List.of("child"), namesOf(children), "children");
    expectEqual(RunStatus.KILLED, children.get(0).getInfo().getStatus(), "status of the child");
  }

  /** The client only reads the registry, so what it reads is made by plain requests. */
  private static void registry(MlflowClient client, String runId) {
    String name = "java-model-" + SUFFIX;
    String source = "s3://bucket/" + name;
    client.sendPost("registered-models/create", "{\"name\": \"" + name + "\"}");
    for (int n = 1; n <= 2; n++) {
      client.sendPost(
          "model-versions/create",
          String.format(
              "{\"name\": \"%s\", \"source\": \"%s\", \"run_id\": \"%s\"}", name, source, runId));
    }
    client.sendPost(
        "model-versions/transition-stage",
        String.format(
            "{\"name\": \"%s\", \"version\": \"1\", \"stage\": \"Production\","
                + " \"archive_existing_versions\": false}",
            name));
    expectEqual(name, client.getRegisteredModel(name).getName(), "registered model");
    Map<String, String> latest =
        client.getLatestVersions(name).stream()
            .collect(Collectors.toMap(ModelVersion::getCurrentStage, ModelVersion::getVersion));
    expectEqual(Map.of("Production", "1", "None", "2"), latest, "latest versions");
    List<ModelVersion> production = client.getLatestVersions(name, List.of("Production"));
    expectEqual(1, production.size(), "latest versions of one stage");
    expectEqual(runId, production.get(0).getRunId(), "run of the version");
    expectEqual("2", client.getModelVersion(name, "2").getVersion(), "version by number");
    expectEqual(source, client.getModelVersionDownloadUri(name, "2"), "download address");
    List<String> versions =
        client
            .searchModelVersions("name = '" + name + "'", 10, List.of("version_number DESC"))
            .getItems()
            .stream()
            .map(ModelVersion::getVersion)
            .collect(Collectors.toList());
    expectEqual(List.of("2", "1"), versions, "versions found");
    expectRefused(
        () -> client.getModelVersion(name, "9"), "RESOURCE_DOES_NOT_EXIST", "unknown version");
  }

  private JavaClient() {}
}
