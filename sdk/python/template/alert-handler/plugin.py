"""{{name}}: posts each alert as a short message, `{"text": "..."}`, which many chats take at a webhook.

Only failures that another try may cure are raised as `Transient`; `http` sorts them. The idempotency key goes along as a
header, so that the receiver can drop repeats.
"""

import bellwether
from bellwether import InvalidConfig, http, secrets
from bellwether.alert import Phase

#: The secret that is sent as bearer token; named under [wants] in plugin.toml too.
TOKEN = "token"


@bellwether.register
class {{Pascal}}(bellwether.AlertHandler):
    name = "{{name}}"
    version = "0.1.0"
    summary = "Posts each alert as a short message to a chat's webhook."
    config_schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["url"],
        "properties": {
            "url": {
                "type": "string",
                "pattern": "^https?://",
                "maxLength": 2048,
                "description": "Where alerts are posted; its origin must be granted to this plugin.",
            },
            "authorise": {
                "type": "boolean",
                "default": False,
                "description": "Send the secret `token` as bearer token.",
            },
            "timeout_seconds": {
                "type": "number",
                "minimum": 1,
                "maximum": 60,
                "default": 5,
                "description": "Most seconds to connect, to the first byte and between bytes, each.",
            },
        },
    }

    def handle(self, alert, config):
        headers = {"idempotency-key": alert.idempotency_key}
        if config.authorise:
            headers["authorization"] = f"Bearer {token()}"
        http.post_json(config.url, {"text": message(alert)}, headers, config.timeout_seconds)


def message(alert):
    """The alert in a line."""
    what = "Over" if alert.phase is Phase.RESOLVED else alert.severity.value.capitalize()
    about = ", ".join(part for part in (alert.symbol, alert.model_id) if part)
    # Summaries have no bound and chats do.
    return f"{what}: {alert.summary}"[:2000] + (f" ({about})" if about else "")


def token():
    found = secrets.get(TOKEN)
    if not found:
        raise InvalidConfig(f"`authorise` is set and the secret `{TOKEN}` is not mapped to this plugin, or is not set")
    return found.strip()
