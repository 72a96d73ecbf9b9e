/** Addresses outside the protocol's table: liveness, version, metrics, and a first page that says where one is. */
import type { Route } from "./endpoint-route.ts";
import type { RequestMetrics } from "./metrics.ts";
import { html, respond, text } from "./respond.ts";

/** The MLflow release whose protocol this server speaks. Clients compare it, so it must look like one. */
export const PROTOCOL_VERSION = "3.17.2";

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="13" fill="none" stroke="#1f6f8b" stroke-width="3"/><path d="M16 3v26M3 16h26M7 7l18 18M25 7L7 25" stroke="#1f6f8b" stroke-width="2"/></svg>`;

export function staticRoutes(metrics: RequestMetrics): readonly Route[] {
  return [
    get("health", "/health", () => text(200, "OK")),
    get("version", "/version", () => html(200, PROTOCOL_VERSION)),
    get("metrics", "/metrics", async () => {
      const { contentType, text: body } = await metrics.render();
      return respond(200, contentType, body);
    }),
    get("favicon", "/favicon.ico", () =>
      respond(200, "image/svg+xml", icon, ["Cache-Control", "max-age=86400"]),
    ),
    get("home", "/", ({ request, prefix }) => html(200, homePage(request.headers["host"], prefix))),
  ];
}

function get(name: string, path: string, run: Route["run"]): Route {
  return { name, methods: ["GET"], path, family: "plain", run };
}

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function homePage(host: string | undefined, prefix: string): string {
  const address = escapeHtml(`http://${host ?? "127.0.0.1:5000"}${prefix}`);
  const base = escapeHtml(prefix);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Millrace</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #1d2b33; }
  pre { background: #eef3f5; padding: .8rem 1rem; overflow-x: auto; border-radius: 4px; }
  a { color: #1f6f8b; }
</style>
<h1>Millrace</h1>
<p>This server tracks experiments and keeps a model registry. It speaks the protocol of MLflow ${PROTOCOL_VERSION}: the official clients work with it as they are.</p>
<pre>export MLFLOW_TRACKING_URI=${address}</pre>
<pre>import mlflow

with mlflow.start_run():
    mlflow.log_param("alpha", 0.5)
    mlflow.log_metric("rmse", 0.79)</pre>
<p><a href="${base}/health">Health</a> · <a href="${base}/version">Version</a> · <a href="${base}/metrics">Metrics</a> ·
<a href="https://mlflow.org/docs/latest/api_reference/rest-api.html">The REST interface</a></p>
</html>
`;
}
