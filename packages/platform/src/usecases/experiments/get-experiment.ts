import { PlatformError } from "@millrace/contract";
import {
  findExperimentByName,
  getExperiment as readExperiment,
  withTags,
} from "../../db/queries/experiments.ts";
import type { UseCase } from "../handler.ts";

export const getExperiment: UseCase<"getExperiment"> = (ctx, { experimentId }) =>
  ctx.db.read(async (reader) => {
    const [experiment] = await withTags(reader, [await readExperiment(reader, experimentId)]);
    return { experiment };
  });

/** Finds deleted ones too: clients look at the stage and say that the name is taken. */
export const getExperimentByName: UseCase<"getExperimentByName"> = (ctx, { experimentName }) =>
  ctx.db.read(async (reader) => {
    const row = await findExperimentByName(reader, experimentName);
    if (row === undefined) {
      throw new PlatformError(
        "RESOURCE_DOES_NOT_EXIST",
        `Could not find experiment with name '${experimentName}'`,
        {
          name: experimentName,
        },
      );
    }
    const [experiment] = await withTags(reader, [row]);
    return { experiment };
  });
