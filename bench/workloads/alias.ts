import { driveRepeatedly } from "../load/drive.ts";
import { driveEcho } from "../load/echo.ts";
import { apiGet } from "../load/requests.ts";
import type { Workload } from "../session.ts";
import { evidence } from "./summary.ts";

const connections = 16;
const modelCount = 20;
const versionCount = 3;

export const alias: Workload = {
  name: "alias",
  figures: [
    {
      id: "alias.rate",
      title: "get-by-alias, 16 connections",
      unit: "/s",
      better: "higher",
      goals: [{ bound: "at least", value: 10_000 }],
    },
  ],
  async run({ api, server, options, freePort }) {
    const expected: { readonly request: Buffer; readonly name: RegExp; readonly version: RegExp }[] = [];
    for (let model = 0; model < modelCount; model++) {
      const name = `bench-model-${String(model)}`;
      await api.post("registered-models/create", { name });
      for (let version = 1; version <= versionCount; version++)
        await api.post("model-versions/create", { name, source: `s3://bench/${name}/${String(version)}` });
      const version = String((model % versionCount) + 1);
      await api.post("registered-models/alias", { name, alias: "champion", version });
      expected.push({
        request: apiGet("registered-models/alias", { name, alias: "champion" }),
        name: new RegExp(`"name": ?"${name}"`),
        version: new RegExp(`"version": ?"${version}"`),
      });
    }
    const sent = Array.from({ length: connections }, (_, i) => i);
    const current = (connection: number): (typeof expected)[number] | undefined =>
      expected[(sent[connection] ?? 0) % modelCount];
    const next = (connection: number): Buffer => {
      sent[connection] = (sent[connection] ?? 0) + 1;
      return current(connection)?.request ?? Buffer.alloc(0);
    };
    const result = await driveRepeatedly(
      {
        port: server.port,
        connections,
        next,
        check: ({ status, body }, connection) => {
          const text = body.toString("latin1");
          const wanted = current(connection);
          if (status === 200 && wanted?.name.test(text) === true && wanted.version.test(text))
            return undefined;
          return `status ${String(status)}: ${text.slice(0, 200)}`;
        },
      },
      options,
    );
    const echo = await driveEcho(await freePort(), { connections, seconds: options.seconds / 4, next });
    return { "alias.rate": { ...evidence(result), value: result.rate, echo: echo.requests / echo.seconds } };
  },
};
