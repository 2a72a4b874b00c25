/* Outgoing HTTP for alert handlers, over wasi:http.
 *
 * The host sends the request with its own client and only to origins the operator granted (`wants.http`). Failures come back
 * as the error the host's retry understands: BW_TRANSIENT for what another try may cure (no connection, a time-out, 408, 425,
 * 429 and every 5xx), another for what it cannot. Redirects are not followed: they could lead to an origin nobody granted.
 */
#ifndef BELLWETHER_HTTP_H
#define BELLWETHER_HTTP_H

#include "error.h"

/* Most bytes read of an answer; the rest is left unread. */
#define BW_ANSWER_LIMIT (1 << 20)

typedef struct {
    bw_text name;
    bw_text value;
} bw_header;

typedef struct {
    /* `GET`, `POST`, ... */
    bw_text method;
    /* `https://host[:port]/path?query`. */
    bw_text url;
    const bw_header *headers;
    size_t header_count;
    bw_bytes body;
    /* Most seconds to connect, to the first byte and between bytes, each. The host's limit on the call stands above. */
    uint32_t timeout_seconds;
} bw_http_request;

typedef struct {
    uint16_t status;
    /* Values that are text. */
    const bw_header *headers;
    size_t header_count;
    /* At most BW_ANSWER_LIMIT bytes. */
    bw_bytes body;
} bw_http_response;

/* Sends a request and gives the answer whatever its status. Errors: BW_INVALID_CONFIG for a bad URL or header and for an
 * origin that was not granted, BW_TRANSIENT where another try may succeed, else `http-failed`. */
const bw_error *bw_http_send(const bw_http_request *request, bw_http_response *response);

/* NULL for a status of 2xx, else the error for it: BW_TRANSIENT, or `http-404` and the like. */
const bw_error *bw_http_success(const bw_http_response *response);

/* Posts a JSON document; an answer of 2xx is success. `content-type` is set unless `headers` has one. */
const bw_error *bw_http_post_json(bw_text url, const bw_header *headers, size_t header_count, bw_text document, uint32_t timeout_seconds);

/* The value of the first header of a name, whatever its case; `data` is NULL for none. */
bw_text bw_http_header(const bw_http_response *response, const char *name);

#endif
