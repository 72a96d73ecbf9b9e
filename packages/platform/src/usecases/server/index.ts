import type { UseCases } from "../handler.ts";
import { getServerInfo } from "./get-server-info.ts";
import { listChanges } from "./list-changes.ts";

export const serverUseCases = { getServerInfo, listChanges } satisfies Partial<UseCases>;
