/* `{{name}}`: posts each alert as a chat message, {"text": "..."}, to a URL.
 *
 * Many chats take this document on an incoming webhook. The idempotency key goes along as a header, so that a receiver can drop
 * the repeats of a delivery that was tried again. `bw_alert_json` gives the whole alert where a receiver wants more than a line.
 */
#include "bellwether/alert_handler.h"

static bw_text message(const bw_alert *alert) {
    bw_text subject = alert->symbol.data == NULL ? bw_text_of("") : bw_textf(" %s", alert->symbol.data);
    bw_text line = bw_textf("[%s] %s%s %s: %s", bw_severity_word(alert->severity), alert->condition.data, subject.data,
                            bw_phase_word(alert->phase), alert->summary.data);
    bw_document document = {0};
    bw_put_object(&document, NULL);
    bw_put_text(&document, "text", line);
    return bw_document_text(&document);
}

static const bw_error *handle(const bw_alert *alert, const bw_json *config) {
    bw_text url;
    bool use_token;
    int64_t timeout;
    BW_TRY(bw_config_text(config, "url", &url));
    BW_TRY(bw_config_boolean(config, "use_token", &use_token));
    BW_TRY(bw_config_whole(config, "timeout_seconds", &timeout));

    bw_header headers[2] = {{bw_text_of("idempotency-key"), alert->idempotency_key}};
    size_t count = 1;
    if (use_token) {
        bw_text token;
        if (!bw_secret("token", &token)) {
            return bw_invalid_config("the secret `token` is not mapped to this plugin, or is not set");
        }
        headers[count++] = (bw_header){bw_text_of("authorization"), bw_textf("Bearer %s", token.data)};
    }
    return bw_http_post_json(url, headers, count, message(alert), (uint32_t)timeout);
}

const bw_alert_handler bw_alert_handler_plugin = {
    .plugin =
        {
            .name = "{{name}}",
            .version = "0.1.0",
            .summary = "Posts each alert as a chat message to a URL.",
            .config_schema = BW_JSON({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "additionalProperties": false,
                "required": ["url"],
                "properties": {
                    "url": {
                        "type": "string",
                        "pattern": "^https?://",
                        "maxLength": 2048,
                        "description": "Where alerts are posted; its origin must be granted to this instance."
                    },
                    "use_token": {
                        "type": "boolean",
                        "default": false,
                        "description": "Send the secret `token` as bearer token."
                    },
                    "timeout_seconds": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 60,
                        "default": 5,
                        "description": "Most seconds to connect, to the first byte and between bytes, each."
                    }
                }
            }),
        },
    .handle = handle,
};
