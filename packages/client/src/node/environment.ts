import type { ClientOptions } from "../options.ts";

/** What MLflow's own clients read from the environment. Options given in the program win. */
export function optionsFromEnvironment(
  options: ClientOptions,
  env: Readonly<Record<string, string | undefined>>,
): ClientOptions {
  const given = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  // An in-process application needs neither address nor credentials.
  if (options.fetch !== undefined) return options;
  // One kind of credentials is not completed by another kind.
  const hasOwn = options.token !== undefined || options.username !== undefined;
  return {
    ...options,
    baseUrl: options.baseUrl ?? given("MLFLOW_TRACKING_URI"),
    token: hasOwn ? options.token : given("MLFLOW_TRACKING_TOKEN"),
    username: hasOwn ? options.username : given("MLFLOW_TRACKING_USERNAME"),
    password: hasOwn ? options.password : given("MLFLOW_TRACKING_PASSWORD"),
    timeoutMs: options.timeoutMs ?? secondsOf(given("MLFLOW_HTTP_REQUEST_TIMEOUT")),
  };
}

function secondsOf(text: string | undefined): number | undefined {
  const seconds = Number(text);
  return text !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}
