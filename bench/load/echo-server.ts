import { createServer } from "node:http";

// The bare minimum a JSON endpoint must do: read the body, answer `{}`. What remains above it is the server's.
const server = createServer((request, response) => {
  request.on("data", () => {});
  request.on("end", () => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "2" });
    response.end("{}");
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
