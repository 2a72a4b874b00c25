/* URLs, headers, which failures are worth another try; an alert as a document. */
#include "bellwether/alert_handler.h"
#include "bellwether/testing/testing.h"

static bw_text url(const char *text) {
    bw_url url;
    const bw_error *error = bw_url_parse(bw_text_of(text), &url);
    return error != NULL ? error->message : bw_textf("%s %s %s", url.secure ? "s" : "p", url.authority.data, url.path.data);
}

static void test_urls_come_apart(void) {
    BW_EXPECT_TEXT(url("https://Example.com/a?b=c#d"), "s example.com /a?b=c");
    BW_EXPECT_TEXT(url("HTTP://[::1]:8080"), "p [::1]:8080 /");
    BW_EXPECT_TEXT(url("https://example.com?x"), "s example.com /?x");
    BW_EXPECT_TEXT(url("https://example.com#x/y"), "s example.com /");
    bw_url parsed;
    BW_EXPECT_ERROR(bw_url_parse(bw_text_of("ftp://example.com"), &parsed), BW_INVALID_CONFIG, "must begin with");
    BW_EXPECT_ERROR(bw_url_parse(bw_text_of("example.com"), &parsed), BW_INVALID_CONFIG, "must begin with");
    BW_EXPECT_ERROR(bw_url_parse(bw_text_of("https:///a"), &parsed), BW_INVALID_CONFIG, "names no host");
    BW_EXPECT_ERROR(bw_url_parse(bw_text_of("https://:80/a"), &parsed), BW_INVALID_CONFIG, "names no host");
    BW_EXPECT_ERROR(bw_url_parse(bw_text_of("https://me:secret@example.com"), &parsed), BW_INVALID_CONFIG, "must not carry");
    BW_EXPECT_ERROR(bw_url_parse(bw_text_of("https://example.com/a b"), &parsed), BW_INVALID_CONFIG, "control character");
    BW_EXPECT_ERROR(bw_url_parse(bw_text_copy("https://a\0b", 11), &parsed), BW_INVALID_CONFIG, "control character");
}

static const bw_error *post(const char *name, const char *value) {
    bw_header header = {bw_text_of(name), bw_text_of(value)};
    return bw_http_post_json(bw_text_of("https://example.com/hook"), &header, 1, bw_text_of("1"), 5);
}

static void test_failures_are_sorted_by_whether_another_try_helps(void) {
    static const struct {
        uint16_t status;
        bw_error_code code;
        const char *name;
    } rows[] = {{503, BW_TRANSIENT, ""}, {429, BW_TRANSIENT, ""}, {408, BW_TRANSIENT, ""},
                {425, BW_TRANSIENT, ""}, {404, BW_OTHER, "http-404"}, {301, BW_OTHER, "http-301"}};
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        bw_test_answer(rows[row].status, "busy");
        const bw_error *error = post("x-a", "b");
        BW_EXPECT_ERROR(error, rows[row].code, "busy");
        BW_EXPECT_TEXT(error->name, rows[row].name);
    }
    bw_test_no_answer(BW_UNREACHABLE, "connection refused");
    BW_EXPECT_ERROR(post("x-a", "b"), BW_TRANSIENT, "https://example.com: connection refused");
    bw_test_no_answer(BW_REFUSED, "not granted");
    BW_EXPECT_ERROR(post("x-a", "b"), BW_INVALID_CONFIG, "granted");
    bw_test_no_answer(BW_BROKEN, "certificate expired");
    BW_EXPECT_ERROR(post("x-a", "b"), BW_OTHER, "certificate expired");
    bw_test_reset();
}

static void test_headers_cannot_smuggle_lines(void) {
    bw_test_answer(200, "");
    BW_EXPECT_OK(post("x-a", "b"));
    const bw_http_request *sent = bw_test_request(0);
    BW_EXPECT(sent->header_count == 2 && sent->timeout_seconds == 5);
    BW_EXPECT_TEXT(sent->headers[1].name, "content-type");
    BW_EXPECT_OK(post("Content-Type", "text/plain"));
    BW_EXPECT(bw_test_request(1)->header_count == 1);
    BW_EXPECT_ERROR(post("x-a", "b\r\nx-c: d"), BW_INVALID_CONFIG, "header 0");
    BW_EXPECT_ERROR(post("x a", "b"), BW_INVALID_CONFIG, "header 0");
    BW_EXPECT_ERROR(post("", "b"), BW_INVALID_CONFIG, "header 0");
    BW_EXPECT(bw_test_request_count() == 2);
    bw_header answered = {bw_text_of("Retry-After"), bw_text_of("5")};
    bw_http_response response = {.headers = &answered, .header_count = 1};
    BW_EXPECT_TEXT(bw_http_header(&response, "retry-after"), "5");
    BW_EXPECT(bw_http_header(&response, "etag").data == NULL);
    bw_test_reset();
}

static void test_moments_are_written(void) {
    BW_EXPECT_TEXT(bw_rfc3339(0), "1970-01-01T00:00:00.000Z");
    BW_EXPECT_TEXT(bw_rfc3339(-1), "1969-12-31T23:59:59.999Z");
    BW_EXPECT_TEXT(bw_rfc3339(951782400000), "2000-02-29T00:00:00.000Z");
    BW_EXPECT_TEXT(bw_rfc3339(1709251199999), "2024-02-29T23:59:59.999Z");
    BW_EXPECT_TEXT(bw_rfc3339(4107542400000), "2100-03-01T00:00:00.000Z");
    BW_EXPECT(bw_rfc3339(INT64_MIN).length > 0 && bw_rfc3339(INT64_MAX).length > 0);
}

static void test_an_alert_is_a_document(void) {
    bw_label label = {bw_text_copy("line\nbreak", 10), bw_text_copy("\"quoted\" \\ and \0", 16)};
    bw_alert alert = {
        .idempotency_key = bw_text_of("key"),
        .id = bw_text_of("alert-1"),
        .condition = bw_text_of("data-drift"),
        .severity = BW_WARNING,
        .phase = BW_RESOLVED,
        .summary = bw_text_of("moved"),
        .symbol = bw_text_of("BTC/USDT"),
        .labels = &label,
        .label_count = 1,
        .detail = bw_text_of("{\"score\": 0.5}"),
    };
    BW_EXPECT_TEXT(bw_alert_json(&alert),
                   "{\"idempotency_key\":\"key\",\"id\":\"alert-1\",\"condition\":\"data-drift\",\"severity\":\"warning\","
                   "\"phase\":\"resolved\",\"summary\":\"moved\",\"model_id\":null,\"symbol\":\"BTC/USDT\","
                   "\"started_at\":\"1970-01-01T00:00:00.000Z\",\"labels\":{\"line\\u000abreak\":\"\\\"quoted\\\" \\\\ and \\u0000\"},"
                   "\"detail\":{\"score\":0.5}}");
}

int main(void) {
    test_urls_come_apart();
    test_failures_are_sorted_by_whether_another_try_helps();
    test_headers_cannot_smuggle_lines();
    test_moments_are_written();
    test_an_alert_is_a_document();
    return bw_test_result();
}
