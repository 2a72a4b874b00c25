/* What is posted, and what becomes of each answer. */
#include <string.h>

#include "bellwether/alert_handler.h"
#include "bellwether/testing/testing.h"

static const bw_alert_handler *const plugin = &bw_alert_handler_plugin;

static bw_alert sample(void) {
    return (bw_alert){
        .idempotency_key = bw_text_of("key-1"),
        .id = bw_text_of("alert-1"),
        .condition = bw_text_of("data-drift"),
        .severity = BW_CRITICAL,
        .phase = BW_FIRING,
        .summary = bw_text_of("`body` moved"),
        .symbol = bw_text_of("BTC/USDT"),
        .detail = bw_text_of("{}"),
    };
}

static const bw_error *deliver(const char *config_text) {
    bw_alert alert = sample();
    return plugin->handle(&alert, bw_test_config(&plugin->plugin, config_text));
}

#define CONFIG "{\"url\": \"https://chat.example.com/hook\"}"

static void test_an_alert_is_one_line(void) {
    bw_test_answer(204, "");
    BW_EXPECT_OK(deliver(CONFIG));
    if (!BW_EXPECT(bw_test_request_count() == 1)) {
        return;
    }
    const bw_http_request *sent = bw_test_request(0);
    BW_EXPECT_TEXT(sent->method, "POST");
    BW_EXPECT_TEXT(sent->url, "https://chat.example.com/hook");
    BW_EXPECT_TEXT(sent->headers[0].value, "key-1");
    BW_EXPECT_TEXT(bw_text_copy((const char *)sent->body.data, sent->body.count),
                   "{\"text\":\"[critical] data-drift BTC/USDT firing: `body` moved\"}");
    bw_test_reset();
}

static void test_only_what_may_pass_is_tried_again(void) {
    bw_test_answer(503, "busy");
    BW_EXPECT_ERROR(deliver(CONFIG), BW_TRANSIENT, "answered 503: busy");
    bw_test_answer(404, "");
    BW_EXPECT_ERROR(deliver(CONFIG), BW_OTHER, "answered 404");
    bw_test_no_answer(BW_UNREACHABLE, "connection refused");
    BW_EXPECT_ERROR(deliver(CONFIG), BW_TRANSIENT, "https://chat.example.com: connection refused");
    bw_test_no_answer(BW_REFUSED, "not granted");
    BW_EXPECT_ERROR(deliver(CONFIG), BW_INVALID_CONFIG, "has the operator granted");
    bw_test_reset();
}

static void test_the_token_is_a_secret(void) {
    const char *config = "{\"url\": \"https://chat.example.com\", \"use_token\": true}";
    bw_test_answer(200, "");
    BW_EXPECT_ERROR(deliver(config), BW_INVALID_CONFIG, "`token`");
    bw_test_secret("token", "s3cret");
    BW_EXPECT_OK(deliver(config));
    BW_EXPECT_TEXT(bw_test_request(0)->headers[1].value, "Bearer s3cret");
    bw_test_reset();
}

int main(void) {
    bw_test_schema(&plugin->plugin, CONFIG);
    test_an_alert_is_one_line();
    test_only_what_may_pass_is_tried_again();
    test_the_token_is_a_secret();
    return bw_test_result();
}
