"""Webhooks arrive, signed, at a receiver of ours.

The server must run with MLFLOW_WEBHOOK_ALLOWED_SCHEMES=http,https and
MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS=true, for the receiver listens on the loopback address.
"""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mlflow import MlflowClient

from expectations import CLIENT_MAJOR, expect, expect_equal, skip_script, unique, wait_for

if CLIENT_MAJOR < 3:
    skip_script("webhooks are new in client 3.0")

SECRET = "s3cret"
received: list[tuple[dict[str, str], bytes]] = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        received.append((dict(self.headers.items()), body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *_: object) -> None:
        pass


receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()

client = MlflowClient()
hook = client.create_webhook(
    name=unique("delivery"),
    url=f"http://127.0.0.1:{receiver.server_port}/hook",
    events=[
        "registered_model.created",
        "model_version.created",
        "model_version_tag.set",
        "model_version_tag.deleted",
        "model_version_alias.created",
        "model_version_alias.deleted",
    ],
    secret=SECRET,
)
tested = client.test_webhook(hook.webhook_id)
expect_equal((tested.success, tested.response_status), (True, 200), "test_webhook")
expect_equal(tested.response_body, "thanks", "body that the receiver answered to the test")
expect_equal(len(received), 1, "requests of the test")
received.clear()

model = unique("delivery-model")
client.create_registered_model(model, tags={"a": "b"}, description="text")
client.create_model_version(model, "s3://bucket/model", tags={"c": "d"}, description="one")
client.set_model_version_tag(model, "1", "k", "v")
client.delete_model_version_tag(model, "1", "k")
client.set_registered_model_alias(model, "champion", "1")
client.delete_registered_model_alias(model, "champion")
wait_for(lambda: len(received) >= 6, "six deliveries")

payloads = {}
for headers, body in received:
    names = {key.lower(): value for key, value in headers.items()}
    delivery, timestamp = names["x-mlflow-delivery-id"], names["x-mlflow-timestamp"]
    signed = f"{delivery}.{timestamp}.{body.decode()}".encode()
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    expect_equal(
        names["x-mlflow-signature"], f"v1,{base64.b64encode(digest).decode()}", "signature"
    )
    event = json.loads(body)
    expect(event["timestamp"], f"timestamp of {event}")
    payloads[f"{event['entity']}.{event['action']}"] = event["data"]

version = {"name": model, "version": "1"}
expect_equal(
    payloads["registered_model.created"],
    {"name": model, "tags": {"a": "b"}, "description": "text"},
    "payload of registered_model.created",
)
expect_equal(
    payloads["model_version.created"],
    version
    | {"source": "s3://bucket/model", "run_id": None, "tags": {"c": "d"}, "description": "one"},
    "payload of model_version.created",
)
expect_equal(payloads["model_version_tag.set"], version | {"key": "k", "value": "v"}, "tag set")
expect_equal(payloads["model_version_tag.deleted"], version | {"key": "k"}, "tag deleted")
expect_equal(payloads["model_version_alias.created"], version | {"alias": "champion"}, "alias set")
expect_equal(
    payloads["model_version_alias.deleted"], {"name": model, "alias": "champion"}, "alias deleted"
)
expect_equal(len(received), 6, "deliveries; each event is sent once")

# A disabled webhook stays silent; what follows once it is enabled shows that nothing was late.
client.update_webhook(hook.webhook_id, status="DISABLED")
client.set_model_version_tag(model, "1", "silent", "1")
client.update_webhook(hook.webhook_id, status="ACTIVE")
client.set_model_version_tag(model, "1", "heard", "1")
wait_for(lambda: len(received) >= 7, "the delivery after enabling again")
expect_equal(json.loads(received[-1][1])["data"]["key"], "heard", "the event after enabling")
client.delete_webhook(hook.webhook_id)
receiver.shutdown()
expect_equal(len(received), 7, "deliveries; none for the event while disabled")
