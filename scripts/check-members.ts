/**
 * Every file of a family is registered, and every registered member is tested. A member that nobody can open, or that
 * no suite asks, would look done without being it.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

const source = resolve(import.meta.dirname, "../packages/platform/src");

interface Family {
  readonly name: string;
  /** Where the one line per member stands. */
  readonly registry: string;
  /** Candidates, relative to the source: files that are members or belong to one. */
  readonly files: string;
  /** Registered names and files from the registry's text. */
  readonly registered: RegExp;
  /** The test that runs the suite for a member, relative to the source. */
  readonly test: (member: string) => string;
  /** Files that are no members: interfaces, and parts of a member, which begin with its name. */
  readonly others: readonly string[];
}

const families: readonly Family[] = [
  {
    name: "artifact store",
    registry: "artifacts/index.ts",
    files: "artifacts/*.ts",
    registered: /import\("\.\/([\w-]+)\.ts"\)/g,
    test: (member) => `artifacts/${member}.test.ts`,
    others: ["index", "store"],
  },
  {
    name: "command",
    registry: "cli/commands/index.ts",
    files: "cli/commands/*.ts",
    registered: /import\("\.\/([\w-]+)\.ts"\)/g,
    test: () => "cli/commands/commands.test.ts",
    others: ["index", "command"],
  },
  {
    name: "migration",
    registry: "db/migrations/index.ts",
    files: "db/migrations/*.ts",
    registered: /from "\.\/([\w-]+)\.ts"/g,
    test: () => "db/migrate.test.ts",
    others: ["index"],
  },
];

const problems: string[] = [];
let members = 0;
for (const family of families) {
  const text = readFileSync(join(source, family.registry), "utf8");
  const registered = new Set([...text.matchAll(family.registered)].map((match) => match[1]!));
  for (const file of globSync(family.files, { cwd: source })) {
    const name = basename(file, ".ts");
    if (name.endsWith(".test") || family.others.includes(name) || registered.has(name)) continue;
    if ([...registered].some((member) => name.startsWith(`${member}-`))) continue;
    problems.push(`${file} is not listed in ${family.registry}, so nobody can use this ${family.name}.`);
  }
  for (const member of registered) {
    members++;
    if (!existsSync(join(source, family.test(member)))) {
      problems.push(`The ${family.name} ${member} has no test: write ${family.test(member)}.`);
    }
  }
}
for (const problem of problems) console.error(problem);
console.log(`check-members: ${members} members, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
