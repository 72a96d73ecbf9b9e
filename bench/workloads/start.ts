import { median } from "../measure/quantiles.ts";
import type { Workload } from "../session.ts";

export const start: Workload = {
  name: "start",
  figures: [
    {
      id: "start.ready",
      title: "spawn to first 200 on /health, empty database",
      unit: "s",
      better: "lower",
      goals: [{ bound: "at most", value: 0.25 }],
    },
  ],
  async run(session) {
    const repetitions = session.target.name === "millrace" ? (session.options.quick ? 2 : 9) : 2;
    const seconds: number[] = [];
    for (let i = 0; i < repetitions; i++) {
      const server = await session.startFresh(`start-${String(i)}`);
      seconds.push(server.readyMs / 1000);
      await server.stop();
    }
    const all = seconds.map((value) => value.toFixed(3)).join(", ");
    return { "start.ready": { value: median(seconds), detail: `median of ${all}` } };
  },
};
