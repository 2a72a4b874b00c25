/* A receiver of requests that records them and answers as it was told. */
#include <string.h>

#include "recorded.h"
#include "testing.h"

#define KEPT 100

static bw_http_request requests[KEPT];
static size_t request_count;
static bw_http_outcome outcome = BW_REFUSED;
static const char *no_answer = "no answer is set for this test";
static uint16_t status;
static const char *body = "";

void bw_recorded_forget(void) {
    request_count = 0;
    bw_test_no_answer(BW_REFUSED, "no answer is set for this test");
}

void bw_test_answer(uint16_t answer_status, const char *answer_body) {
    outcome = BW_ANSWERED;
    status = answer_status;
    body = answer_body;
}

void bw_test_no_answer(bw_http_outcome why_not, const char *why) {
    outcome = why_not;
    no_answer = why;
}

size_t bw_test_request_count(void) {
    return request_count;
}

const bw_http_request *bw_test_request(size_t place) {
    return &requests[place % KEPT];
}

bw_http_outcome bw_http_exchange(const bw_http_request *request, const bw_url *url, bw_http_response *response, bw_text *why) {
    (void)url;
    /* The request itself may be on the caller's stack; what it points to lives as long as the call. */
    bw_http_request *kept = &requests[request_count++ % KEPT];
    *kept = *request;
    bw_header *headers = bw_alloc_array(request->header_count, sizeof *headers);
    for (size_t place = 0; place < request->header_count; place++) {
        headers[place] = (bw_header){
            bw_text_copy(request->headers[place].name.data, request->headers[place].name.length),
            bw_text_copy(request->headers[place].value.data, request->headers[place].value.length),
        };
    }
    kept->headers = headers;
    *why = bw_text_of(outcome == BW_ANSWERED ? "" : no_answer);
    *response = (bw_http_response){.status = status, .body = {(const uint8_t *)body, strlen(body)}};
    return outcome;
}
