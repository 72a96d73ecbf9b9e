import { message, string, type TypeOf } from "../wire/index.ts";

/** A key with a text: tags of every entity, and params. */
export const Tag = message("Tag", { key: string(), value: string() });
export type Tag = TypeOf<typeof Tag>;

export const Param = message("Param", { key: string(), value: string() });
export type Param = TypeOf<typeof Param>;
