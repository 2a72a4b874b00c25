/* What `http.c` asks of the layer below: one exchange over a URL already taken apart. Not for plugins. */
#ifndef BELLWETHER_HTTP_EXCHANGE_H
#define BELLWETHER_HTTP_EXCHANGE_H

#include "http.h"

/* Why no answer came. */
typedef enum {
    /* An answer came. */
    BW_ANSWERED,
    /* No connection, or it broke, or time ran out. Another try may succeed. */
    BW_UNREACHABLE,
    /* The host or its rules refuse the request: the origin is not granted, or leads to a forbidden address. */
    BW_REFUSED,
    /* The exchange went wrong in a way that stays: a certificate, the protocol, a message that cannot be sent. */
    BW_BROKEN,
} bw_http_outcome;

typedef struct {
    bool secure;
    /* `host[:port]`, in lower case. */
    bw_text authority;
    /* Path and query, at least `/`. */
    bw_text path;
} bw_url;

/* Reads an `http` or `https` URL. A fragment is left out; a user name or password is refused, for it would end up in logs. */
const bw_error *bw_url_parse(bw_text text, bw_url *url);

/* Sends and waits. Unless it answered, `why` says what happened. */
bw_http_outcome bw_http_exchange(const bw_http_request *request, const bw_url *url, bw_http_response *response, bw_text *why);

#endif
