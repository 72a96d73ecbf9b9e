import { expect, test } from "vitest";
import { openTestContext } from "../testing/context.ts";
import { createRun } from "../usecases/runs/create-run.ts";
import { logMetric } from "../usecases/runs/log-metric.ts";
import { setTag } from "../usecases/runs/log-text.ts";
import { changesAfter } from "./queries/changes.ts";

test("a burst of metrics is marked at its beginning and once after its end, other changes always", async () => {
  const context = await openTestContext();
  const raw = undefined as never;
  const { run } = (await createRun(context, { experimentId: "0" }, raw)) as {
    run: { info: { runId: string } };
  };
  const { runId } = run.info;
  const kinds = async (): Promise<string[]> => {
    const rows = await context.db.read((reader) => changesAfter(reader, 0, 1_000));
    return rows.map(({ kind }) => kind);
  };
  context.advance(10_000);
  for (let step = 0; step < 5; step++) {
    await logMetric(context, { runId, key: "m", value: step, timestamp: step, step }, raw);
    context.advance(100);
  }
  expect(await kinds()).toEqual(["created", "metrics"]);
  await context.activity.flush();
  await context.activity.flush();
  expect(await kinds()).toEqual(["created", "metrics", "metrics"]);
  await setTag(context, { runId, key: "t", value: "v" }, raw);
  await setTag(context, { runId, key: "t", value: "w" }, raw);
  expect(await kinds()).toEqual(["created", "metrics", "metrics", "updated", "updated"]);
  await context.close();
});
