import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Io } from "../io.ts";
import { writeFacts } from "../output/table.ts";
import { type CommonOptions, show, withCommonOptions } from "./command.ts";

/** The release, as the package says it. */
export function versionText(): string {
  const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

export function define(command: Command, io: Io): void {
  withCommonOptions(command).action((options: CommonOptions) => {
    const facts = {
      millrace: versionText(),
      node: process.versions.node,
      sqlite: process.versions["sqlite"],
      platform: `${process.platform} ${process.arch}`,
    };
    show(io, options, facts, () =>
      writeFacts(io.stdout, io.env, [
        ["millrace", facts.millrace],
        ["Node", facts.node],
        ["SQLite", facts.sqlite],
        ["platform", facts.platform],
      ]),
    );
  });
}
