"""Webhooks through the client: register, list, change, delete, and what is refused."""

from mlflow import MlflowClient

from expectations import CLIENT_MAJOR, expect, expect_equal, expect_refused, skip_script, unique

if CLIENT_MAJOR < 3:
    skip_script("webhooks are new in client 3.0")

client = MlflowClient()
# A literal public address, so that no name is resolved. The webhooks are disabled and their events
# do not occur, so that nothing is sent there.
url = "https://203.0.114.7/hook"
created = client.create_webhook(
    name=unique("hook"),
    url=url,
    events=["model_version.created", "registered_model.created"],
    description="tells the team",
    secret="s3cret",
    status="DISABLED",
)
expect_equal((created.name, created.url), (unique("hook"), url), "created webhook")
expect_equal(str(created.status), "DISABLED", "status")
expect_equal(
    sorted(str(event) for event in created.events),
    ["model_version.created", "registered_model.created"],
    "events",
)
expect("s3cret" not in repr(vars(created)), f"the secret came back: {vars(created)}")
got = client.get_webhook(created.webhook_id)
expect_equal((got.name, got.description), (unique("hook"), "tells the team"), "webhook by id")
expect(got.creation_timestamp > 0, f"creation time: {got.creation_timestamp}")

others = [
    client.create_webhook(
        name=unique(f"hook-{n}"), url=url, events=["model_version_tag.set"], status="DISABLED"
    )
    for n in range(2)
]
mine = {created.webhook_id, *(other.webhook_id for other in others)}
seen: list[str] = []
token = None
while True:
    page = client.list_webhooks(max_results=2, page_token=token)
    seen += [hook.webhook_id for hook in page]
    token = page.token
    if not token:
        break
expect(mine <= set(seen) and len(seen) == len(set(seen)), f"listed over pages: {seen}")

changed = client.update_webhook(
    created.webhook_id,
    name=unique("renamed"),
    description="new",
    url=f"{url}/2",
    events=["prompt.created"],
)
expect_equal(
    (changed.name, changed.description, changed.url),
    (unique("renamed"), "new", f"{url}/2"),
    "changed webhook",
)
expect_equal([str(event) for event in changed.events], ["prompt.created"], "changed events")
expect_equal(str(changed.status), "DISABLED", "the status stays")
expect_equal(client.get_webhook(created.webhook_id).name, unique("renamed"), "stored change")

for what, name, address, fragment in [
    ("plain http", unique("h"), "http://203.0.114.7/hook", "scheme"),
    ("a private address", unique("h"), "https://10.0.0.1/hook", ""),
    ("the local host", unique("h"), "https://127.0.0.1/hook", ""),
    ("a bad name", "-bad name", url, ""),
]:
    expect_refused(
        lambda n=name, a=address: client.create_webhook(
            n, a, ["prompt.created"], status="DISABLED"
        ),
        "INVALID_PARAMETER_VALUE",
        fragment,
        what,
    )

for webhook_id in mine:
    client.delete_webhook(webhook_id)
expect_refused(
    lambda: client.get_webhook(created.webhook_id),
    "RESOURCE_DOES_NOT_EXIST",
    created.webhook_id,
    "a deleted webhook",
)
expect(not mine & {hook.webhook_id for hook in client.list_webhooks()}, "deleted ones are listed")
