/** Filters and orders that are nearly right: words of the search language in an order that a grammar might allow. */
import type { Random } from "./random.ts";

const entities = [
  "metrics",
  "metric",
  "params",
  "parameter",
  "tags",
  "tag",
  "attributes",
  "attribute",
  "attr",
  "run",
  "dataset",
  "datasets",
  "METRICS",
  "trace",
  "",
  "__proto__",
];
const keys = [
  "loss",
  "lr",
  "team",
  "name",
  "run_id",
  "run_name",
  "status",
  "start_time",
  "end_time",
  "creation_time",
  "experiment_id",
  "model_id",
  "version_number",
  "source_path",
  "`a b`",
  '"a.b"',
  "`unclosed",
  "a.b.c",
  "é",
  "mlflow.runName",
  "constructor",
  "",
];
const operators = [
  "=",
  "!=",
  ">",
  ">=",
  "<",
  "<=",
  "LIKE",
  "ILIKE",
  "like",
  "IN",
  "NOT IN",
  "IS NULL",
  "IS NOT NULL",
  "==",
  "<>",
  "BETWEEN",
  "=~",
  "RLIKE",
  "",
];
const values = [
  "1",
  "-1",
  ".5",
  "-.5e3",
  "1e400",
  "-1e-400",
  "9007199254740993",
  "999999999999999999999999999999",
  "0x10",
  "'a'",
  '"a"',
  "'it''s'",
  "'%'",
  "'_%[a-z]*?'",
  "'\\'",
  "'unclosed",
  '"unclosed',
  "('a', 'b')",
  "()",
  "('a',)",
  "(1, 'a')",
  "NaN",
  "null",
  "true",
  "'\u{1f600}'",
  "'\ud800'",
  "'a\u0000b'",
  "`x`",
  "",
];
const joints = [" AND ", " and ", " OR ", " NOT ", ";", ", ", " && ", " -- ", " /* ", ")", "(", "  ", "\n"];

function comparison(random: Random): string {
  const key = random.chance(0.8) ? `${random.pick(entities)}.${random.pick(keys)}` : random.pick(keys);
  return `${key} ${random.pick(operators)} ${random.pick(values)}`;
}

/** A filter; now and then one that is long, deep, or slow for a careless matcher. */
export function anyFilter(random: Random): string {
  if (random.chance(0.04)) {
    const count = 500 + random.below(1_500);
    return random.pick([
      () => `${"(".repeat(count)}metrics.loss > 1${")".repeat(count)}`,
      () => Array.from({ length: count }, () => "metrics.loss > 1").join(" AND "),
      () => Array.from({ length: count }, () => "params.lr = 'a'").join(" OR "),
      () => `${"NOT ".repeat(count)}params.lr = 'a'`,
      () => `run_id IN (${Array.from({ length: count }, (_, index) => `'r${index}'`).join(",")})`,
      () => `tags.team LIKE '${"%a".repeat(count)}'`,
      () => `tags.team ILIKE '${"a%_".repeat(count)}'`,
      () => "metrics.".repeat(count),
      () => `params.${"`".repeat(count)} = 'a'`,
      () => " ".repeat(count * 40),
    ])();
  }
  let text = comparison(random);
  for (let more = random.below(4); more > 0; more--) text += random.pick(joints) + comparison(random);
  return random.chance(0.1) ? text.slice(random.below(text.length)) : text;
}

export function anyOrder(random: Random): string {
  if (random.chance(0.03)) return "metrics.loss ".repeat(2_000);
  const key = random.chance(0.7) ? `${random.pick(entities)}.${random.pick(keys)}` : random.pick(keys);
  return `${key} ${random.pick(["ASC", "DESC", "asc", "", "UP", "ASC DESC", ";", "NULLS LAST", "\u0000"])}`;
}
