import type { OperandEntity, OrderTerm } from "./tree.ts";

/** What can be searched. */
export type SearchableName = "runs" | "experiments" | "loggedModels" | "registeredModels" | "modelVersions";

export interface SearchableAttribute {
  readonly key: string;
  /** `text` holding an integer is written in quotes (`experiment_id = '1'`) and compared in canonical form. */
  readonly type: "text" | "number" | "integerText";
  /** Other spellings that mean the same. */
  readonly aliases?: readonly string[];
  /** A number that must be written without fraction and exponent. */
  readonly whole?: boolean;
  /** A number that may also stand in quotes. */
  readonly quotable?: boolean;
  /** Whether a filter may name it. Default true. */
  readonly filterable?: boolean;
  /** Whether order_by may name it. Default true. */
  readonly orderable?: boolean;
  /** Whether MLflow itself takes `IN` and `NOT IN` for it. */
  readonly listInMlflow?: boolean;
}

export interface Searchable {
  readonly name: SearchableName;
  /** For messages: what one of them is called. */
  readonly noun: string;
  /** The spellings before the dot; the first is the one that we print. An attribute may also go without. */
  readonly prefixes: Readonly<Partial<Record<OperandEntity, readonly string[]>>>;
  readonly attributes: readonly SearchableAttribute[];
  /** Whether `min(metrics.x)` and the like have a meaning. */
  readonly aggregates: boolean;
  /** LIKE, ILIKE and IN in upper case only, as MLflow wants it here. */
  readonly upperCaseKeywords: boolean;
  /** MLflow's own grammar: text and keys such as `val-loss` may go without quotes, and a list may be empty. */
  readonly bareText: boolean;
  /** What MLflow itself takes lists and IS NULL for, besides the attributes marked so. */
  readonly mlflow: {
    readonly lists: readonly OperandEntity[];
    readonly nulls: readonly OperandEntity[];
  };
  /** What order_by may name. */
  readonly orderEntities: readonly OperandEntity[];
  /** The same field twice in order_by: refused, or ignored because the first decides. */
  readonly duplicateOrder: "refused" | "ignored";
  /** The order when none is asked for. */
  readonly defaultOrder: readonly OrderTerm[];
  /** What follows an explicit order, as far as it does not name these fields itself. */
  readonly tieBreak: readonly OrderTerm[];
}

const by = (key: string, ascending: boolean): OrderTerm => ({
  operand: { entity: "attribute", key },
  ascending,
});

/** Everything that is searched and how, for the checker, the SQL compiler, completion and the docs. */
export const searchables = {
  runs: {
    name: "runs",
    noun: "run",
    prefixes: {
      attribute: ["attributes", "attribute", "attr", "run"],
      metric: ["metrics", "metric"],
      param: ["params", "param", "parameters", "parameter"],
      tag: ["tags", "tag"],
      dataset: ["dataset", "datasets"],
    },
    attributes: [
      { key: "run_id", type: "text", listInMlflow: true },
      { key: "run_name", type: "text", aliases: ["run name", "Run name", "Run Name"] },
      { key: "status", type: "text" },
      { key: "user_id", type: "text" },
      { key: "artifact_uri", type: "text" },
      { key: "start_time", type: "number", aliases: ["created", "Created"] },
      { key: "end_time", type: "number" },
    ],
    aggregates: true,
    upperCaseKeywords: false,
    bareText: false,
    mlflow: { lists: ["dataset"], nulls: ["param", "tag"] },
    orderEntities: ["attribute", "metric", "param", "tag"],
    duplicateOrder: "refused",
    defaultOrder: [by("start_time", false), by("run_id", true)],
    tieBreak: [by("start_time", false), by("run_id", true)],
  },
  experiments: {
    name: "experiments",
    noun: "experiment",
    prefixes: { attribute: ["attribute"], tag: ["tags", "tag"] },
    attributes: [
      { key: "name", type: "text" },
      { key: "experiment_id", type: "integerText", listInMlflow: true },
      { key: "creation_time", type: "number", whole: true },
      { key: "last_update_time", type: "number", whole: true },
    ],
    aggregates: false,
    upperCaseKeywords: true,
    bareText: false,
    mlflow: { lists: [], nulls: ["tag"] },
    orderEntities: ["attribute"],
    duplicateOrder: "ignored",
    defaultOrder: [by("creation_time", false), by("experiment_id", true)],
    tieBreak: [by("experiment_id", false)],
  },
  loggedModels: {
    name: "loggedModels",
    noun: "logged model",
    prefixes: {
      attribute: ["attributes"],
      metric: ["metrics"],
      param: ["params"],
      tag: ["tags"],
    },
    attributes: [
      { key: "model_id", type: "text", listInMlflow: true },
      { key: "experiment_id", type: "text", listInMlflow: true },
      { key: "name", type: "text", listInMlflow: true },
      { key: "model_type", type: "text", listInMlflow: true },
      { key: "status", type: "text", listInMlflow: true },
      { key: "status_message", type: "text", listInMlflow: true },
      { key: "lifecycle_stage", type: "text", listInMlflow: true },
      { key: "source_run_id", type: "text", listInMlflow: true },
      { key: "artifact_location", type: "text", listInMlflow: true },
      {
        key: "creation_timestamp_ms",
        type: "number",
        aliases: ["creation_timestamp", "creation_time"],
      },
      {
        key: "last_updated_timestamp_ms",
        type: "number",
        aliases: ["last_updated_timestamp"],
      },
    ],
    aggregates: false,
    upperCaseKeywords: false,
    bareText: true,
    mlflow: { lists: ["param", "tag"], nulls: [] },
    orderEntities: ["attribute", "metric"],
    duplicateOrder: "ignored",
    defaultOrder: [by("creation_timestamp_ms", false), by("model_id", true)],
    tieBreak: [by("creation_timestamp_ms", false), by("model_id", true)],
  },
  registeredModels: {
    name: "registeredModels",
    noun: "registered model",
    prefixes: { attribute: ["attribute"], tag: ["tags", "tag"] },
    attributes: [
      { key: "name", type: "text", listInMlflow: true },
      {
        key: "last_updated_timestamp",
        type: "number",
        aliases: ["timestamp"],
        filterable: false,
      },
    ],
    aggregates: false,
    upperCaseKeywords: false,
    bareText: false,
    mlflow: { lists: [], nulls: [] },
    orderEntities: ["attribute"],
    duplicateOrder: "refused",
    defaultOrder: [by("name", true)],
    tieBreak: [by("name", true)],
  },
  modelVersions: {
    name: "modelVersions",
    noun: "model version",
    prefixes: { attribute: ["attribute"], tag: ["tags", "tag"] },
    attributes: [
      { key: "name", type: "text", listInMlflow: true },
      { key: "version_number", type: "number", whole: true, quotable: true },
      { key: "run_id", type: "text", orderable: false, listInMlflow: true },
      { key: "source_path", type: "text", orderable: false },
      { key: "creation_timestamp", type: "number", filterable: false },
      { key: "last_updated_timestamp", type: "number", filterable: false },
    ],
    aggregates: false,
    upperCaseKeywords: false,
    bareText: false,
    mlflow: { lists: [], nulls: [] },
    orderEntities: ["attribute"],
    duplicateOrder: "refused",
    defaultOrder: [by("last_updated_timestamp", false), by("name", true), by("version_number", false)],
    tieBreak: [by("name", true), by("version_number", false)],
  },
} as const satisfies Record<SearchableName, Searchable>;

export const datasetKeys = ["name", "digest", "context"] as const;

export const aggregates = ["last", "min", "max", "first"] as const;

/** What can stand between the left side and its value, by the type of the left side. */
export const operators = {
  text: ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN", "BETWEEN", "NOT BETWEEN", "IS NULL", "IS NOT NULL"],
  integerText: ["=", "!=", "IN", "NOT IN", "IS NULL", "IS NOT NULL"],
  number: [
    "=",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
    "IN",
    "NOT IN",
    "BETWEEN",
    "NOT BETWEEN",
    "IS NULL",
    "IS NOT NULL",
  ],
} as const satisfies Record<SearchableAttribute["type"], readonly string[]>;

export const filterLimits = {
  /** Parentheses and NOT, one inside the other. */
  nestingMax: 100,
  /** Conditions in one filter, so that a filter cannot outgrow what a database compiles. */
  conditionsMax: 1_000,
} as const;

/** Finds an attribute by its key or by one of its other spellings. */
export function findAttribute(searchable: Searchable, spelling: string): SearchableAttribute | undefined {
  return searchable.attributes.find(({ key, aliases }) => key === spelling || aliases?.includes(spelling));
}
