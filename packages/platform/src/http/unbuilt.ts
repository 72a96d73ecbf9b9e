/** Routes of MLflow's server that Millrace does not build. */
import type { Route } from "./endpoint-route.ts";

export function unbuiltRoutes(): readonly Route[] {
  return [];
}
