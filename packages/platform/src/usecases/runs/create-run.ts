import { invalidParameter, type Run, uuidHex } from "@millrace/contract";
import { appendToUri } from "../../domain/artifact-uri.ts";
import { checkText, failOn, lastOfEach } from "../../domain/batch.ts";
import { checkLength } from "../../domain/keys.ts";
import { randomName } from "../../domain/run-name.ts";
import { recordChange } from "../../db/queries/changes.ts";
import { getActiveExperiment } from "../../db/queries/experiments.ts";
import { keyCache } from "../../db/queries/keys.ts";
import { setTags } from "../../db/queries/run-texts.ts";
import type { UseCase } from "../handler.ts";
import { lengthRule, RUN_NAME_TAG } from "./rules.ts";

export const createRun: UseCase<"createRun"> = async (ctx, request) => {
  const { experimentId, userId = "", startTime = 0 } = request;
  const rule = lengthRule(ctx);
  const problems: string[] = [];
  const given = (request.tags ?? []).map(({ key = "", value }, index) =>
    checkText({ key, value }, `tags[${index}].`, rule.limits.runTagValueLengthMax, rule, problems),
  );
  failOn(problems);
  const named = given.findLast(({ key }) => key === RUN_NAME_TAG)?.value;
  if (request.runName && named && request.runName !== named) {
    throw invalidParameter(
      `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${request.runName}', mlflow.runName='${named}').`,
      { runName: request.runName, tag: named },
    );
  }
  const runName = request.runName || named || randomName(ctx.random);
  checkLength(runName, "run_name", rule.limits.runTagValueLengthMax);
  const tags = named === undefined ? [...given, { key: RUN_NAME_TAG, value: runName }] : lastOfEach(given);
  const runId = uuidHex(ctx.random);

  return ctx.db.write(async (tx) => {
    const experiment = await getActiveExperiment(tx, experimentId);
    const now = ctx.clock();
    const artifactUri = appendToUri(experiment.artifact_location, runId, "artifacts");
    const row = await tx.get<{ id: number }>(
      "INSERT INTO runs (run_id, experiment, name, user_id, status, start_time, deleted, artifact_uri, last_activity_time) VALUES (?, ?, ?, ?, 1, ?, 0, ?, ?) RETURNING id",
      [runId, experiment.id, runName, userId, startTime, artifactUri, now],
    );
    const key = {
      id: row!.id,
      run_id: runId,
      experiment: experiment.id,
      deleted: 0,
      last_activity_time: now,
    };
    await setTags(tx, keyCache(ctx.db), key, tags);
    await recordChange(tx, now, "run", runId, "created", experiment.id);
    const run: Run = {
      info: {
        runUuid: runId,
        experimentId,
        runName,
        userId,
        status: "RUNNING",
        startTime,
        artifactUri,
        lifecycleStage: "active",
        runId,
      },
      data: { tags },
      inputs: {},
    };
    return { run };
  }, 4 + tags.length);
};
