import { loggedModelStatuses, uuidHex } from "@millrace/contract";
import { recordChange } from "../../db/queries/changes.ts";
import { getActiveExperiment } from "../../db/queries/experiments.ts";
import {
  insertLoggedModel,
  insertLoggedModelParams,
  readLoggedModels,
  setLoggedModelTags,
} from "../../db/queries/logged-models.ts";
import { appendToUri } from "../../domain/artifact-uri.ts";
import { lastOfEach } from "../../domain/batch.ts";
import { checkDistinctParams, checkLoggedModelName, plainTexts } from "../../domain/logged-model.ts";
import { randomName } from "../../domain/run-name.ts";
import type { UseCase } from "../handler.ts";

/** A new model is pending until whoever uploads its files says how that went. */
export const createLoggedModel: UseCase<"createLoggedModel"> = async (ctx, request) => {
  const { experimentId, modelType = "", sourceRunId = "" } = request;
  const name = request.name || randomName(ctx.random);
  checkLoggedModelName(name);
  const params = plainTexts(request.params);
  checkDistinctParams(params);
  const tags = lastOfEach(plainTexts(request.tags));
  const modelId = `m-${uuidHex(ctx.random)}`;

  return ctx.db.write(
    async (tx) => {
      const experiment = await getActiveExperiment(tx, experimentId);
      const now = ctx.clock();
      const row = await insertLoggedModel(tx, {
        model_id: modelId,
        experiment: experiment.id,
        name,
        artifact_location: appendToUri(experiment.artifact_location, "models", modelId, "artifacts"),
        creation_time: now,
        last_updated_time: now,
        status: loggedModelStatuses.LOGGED_MODEL_PENDING,
        model_type: modelType,
        source_run_id: sourceRunId,
      });
      await insertLoggedModelParams(tx, row.id, params);
      await setLoggedModelTags(tx, row.id, tags);
      await recordChange(tx, now, "logged_model", modelId, "created", experiment.id);
      const [model] = await readLoggedModels(tx, [row]);
      return { model };
    },
    3 + params.length + tags.length,
  );
};
