"""Webhooks: their life; none is ever called from here."""

from tests.wire.calls import Call, delete, get, patch, post


EVENT = {"entity": "MODEL_VERSION", "action": "CREATED"}
URL = "https://1.1.1.1/hook"
WHOLE: dict[str, object] = {"name": "hook", "url": URL, "events": [EVENT]}


def _create(says: str, **more: object) -> Call:
    return post(says, "webhooks", WHOLE | more)


LIFE = [
    get("list nothing", "webhooks"),
    post("create", "webhooks", WHOLE, hook="webhook.webhook_id"),
    get("get", "webhooks/{hook}"),
    _create(
        "create with everything",
        name="Other.hook-1",
        description="for tests",
        secret="s3cret",
        status="DISABLED",
        events=[EVENT, {"entity": "MODEL_VERSION_ALIAS", "action": "DELETED"}],
    ),
    _create("create again"),
    get("list", "webhooks"),
    get("list one", "webhooks", {"max_results": 1}, token="next_page_token"),
    get("list the next", "webhooks", {"max_results": 1, "page_token": "{token}"}),
    get("list too many", "webhooks", {"max_results": 1001}),
    get("get a missing one", "webhooks/none"),
    patch("describe", "webhooks/{hook}", {"description": "new"}),
    patch("disable", "webhooks/{hook}", {"status": "DISABLED"}),
    patch(
        "listen to another",
        "webhooks/{hook}",
        {"events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]},
    ),
    patch("rename to a bad name", "webhooks/{hook}", {"name": "a b"}),
    patch("change nothing", "webhooks/{hook}", {}),
    patch("change a missing one", "webhooks/none", {"name": "a"}),
    patch(
        "move into a private network", "webhooks/{hook}", {"url": "https://10.0.0.1"}
    ),
    get("get the changed one", "webhooks/{hook}"),
    post("create with nothing", "webhooks", {}),
    _create("create without a name", name=""),
    _create("create with a bad name", name="a b"),
    _create("create with a long name", name="n" * 64),
    _create("create without events", events=[]),
    _create(
        "create with a bad event", events=[{"entity": "MODEL_VERSION", "action": "SET"}]
    ),
    _create("create with a bad status", status="SLEEPING"),
    *[
        _create(f"create at {url}", url=url)
        for url in (
            "",
            "hook",
            "ftp://1.1.1.1/",
            "file:///etc/passwd",
            "gopher://1.1.1.1/",
            "https://",
            "http://127.0.0.1/",
            "https://127.0.0.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
            "https://0.0.0.0/",
            "https://localhost/",
        )
    ],
    delete("delete", "webhooks/{hook}"),
    delete("delete again", "webhooks/{hook}"),
    get("get a deleted one", "webhooks/{hook}"),
    post("test a deleted one", "webhooks/{hook}/test", {}),
]

SCRIPTS = {"webhooks": LIFE}
