import type { Context } from "../../context.ts";
import type { LengthRule } from "../../domain/batch.ts";

/** The tag that mirrors a run's name: setting either sets both. */
export const RUN_NAME_TAG = "mlflow.runName";

export function lengthRule(ctx: Context): LengthRule {
  return { limits: ctx.limits, truncate: ctx.settings.truncateLongValues };
}
