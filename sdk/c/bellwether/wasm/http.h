/* One exchange over wasi:http. Included once by the file of the alert handlers' world. */
#include "../http_exchange.h"

/* What `blocking-write-and-flush` takes at most. */
#define HTTP_WRITE 4096

/* What is asked of `blocking-read` at a time. */
#define HTTP_READ 65536

/* A text lent to the host for one call. */
static world_string_t glue_lent(bw_text text) {
    return (world_string_t){(uint8_t *)text.data, text.length};
}

static bw_http_outcome http_gave_up(bw_http_outcome outcome, bw_text *why, const char *what) {
    *why = bw_text_of(what);
    return outcome;
}

/* Names of the codes that say something a person can act on; what is not here is told by its number. */
static const char *const http_words[] = {
    [WASI_HTTP_TYPES_ERROR_CODE_DNS_TIMEOUT] = "the name could not be looked up in time",
    [WASI_HTTP_TYPES_ERROR_CODE_DNS_ERROR] = "the name could not be looked up",
    [WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_NOT_FOUND] = "the destination was not found",
    [WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_UNAVAILABLE] = "the destination is unavailable",
    [WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_PROHIBITED] = "the destination's address is prohibited",
    [WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_UNROUTABLE] = "the destination's address cannot be reached",
    [WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_REFUSED] = "connection refused",
    [WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TERMINATED] = "the connection broke",
    [WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TIMEOUT] = "no connection in time",
    [WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_READ_TIMEOUT] = "no answer in time",
    [WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_WRITE_TIMEOUT] = "the request could not be sent in time",
    [WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_LIMIT_REACHED] = "too many connections",
    [WASI_HTTP_TYPES_ERROR_CODE_TLS_PROTOCOL_ERROR] = "TLS failed",
    [WASI_HTTP_TYPES_ERROR_CODE_TLS_CERTIFICATE_ERROR] = "the certificate was not accepted",
    [WASI_HTTP_TYPES_ERROR_CODE_TLS_ALERT_RECEIVED] = "the receiver refused TLS",
    [WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED] = "the host denied the request",
    [WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_INCOMPLETE] = "the answer broke off",
    [WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_TIMEOUT] = "no answer in time",
    [WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR] = "the host's client failed",
};

static bw_http_outcome http_failed(const wasi_http_types_error_code_t *code, bw_text *why) {
    bool known = code->tag < sizeof http_words / sizeof http_words[0] && http_words[code->tag] != NULL;
    *why = known ? bw_text_of(http_words[code->tag]) : bw_textf("wasi:http error code %u", (unsigned)code->tag);
    if (code->tag == WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR && code->val.internal_error.is_some) {
        const world_string_t *said = &code->val.internal_error.val;
        *why = bw_textf("%s: %.*s", why->data, (int)said->len, (const char *)said->ptr);
    }
    switch (code->tag) {
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_ERROR:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_NOT_FOUND:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_UNAVAILABLE:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_REFUSED:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TERMINATED:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_READ_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_WRITE_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_LIMIT_REACHED:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_INCOMPLETE:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR:
        return BW_UNREACHABLE;
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_PROHIBITED:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_UNROUTABLE:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED:
        return BW_REFUSED;
    default:
        /* The rest say how a message or a certificate is wrong: sending it again changes nothing. */
        return BW_BROKEN;
    }
}

static bool http_set_method(wasi_http_types_borrow_outgoing_request_t request, bw_text name) {
    static const struct {
        const char *name;
        uint8_t tag;
    } methods[] = {{"GET", WASI_HTTP_TYPES_METHOD_GET},       {"HEAD", WASI_HTTP_TYPES_METHOD_HEAD},
                   {"POST", WASI_HTTP_TYPES_METHOD_POST},     {"PUT", WASI_HTTP_TYPES_METHOD_PUT},
                   {"DELETE", WASI_HTTP_TYPES_METHOD_DELETE}, {"PATCH", WASI_HTTP_TYPES_METHOD_PATCH}};
    wasi_http_types_method_t method = {.tag = WASI_HTTP_TYPES_METHOD_OTHER};
    method.val.other = glue_lent(name);
    for (size_t place = 0; place < sizeof methods / sizeof methods[0]; place++) {
        if (bw_text_is(name, methods[place].name)) {
            method.tag = methods[place].tag;
        }
    }
    return wasi_http_types_method_outgoing_request_set_method(request, &method);
}

/* The request without its body. */
static bw_http_outcome http_compose(const bw_http_request *request, const bw_url *url, wasi_http_types_own_outgoing_request_t *out,
                                    bw_text *why) {
    wasi_http_types_own_fields_t fields = wasi_http_types_constructor_fields();
    for (size_t place = 0; place < request->header_count; place++) {
        world_string_t name = glue_lent(request->headers[place].name);
        wasi_http_types_field_value_t value = {(uint8_t *)request->headers[place].value.data, request->headers[place].value.length};
        wasi_http_types_header_error_t refused;
        if (!wasi_http_types_method_fields_append(wasi_http_types_borrow_fields(fields), &name, &value, &refused)) {
            *why = bw_textf("the host refuses the header `%s`", request->headers[place].name.data);
            return BW_REFUSED;
        }
    }
    *out = wasi_http_types_constructor_outgoing_request(fields);
    wasi_http_types_borrow_outgoing_request_t composed = wasi_http_types_borrow_outgoing_request(*out);
    wasi_http_types_scheme_t scheme = {.tag = url->secure ? WASI_HTTP_TYPES_SCHEME_HTTPS : WASI_HTTP_TYPES_SCHEME_HTTP};
    world_string_t authority = glue_lent(url->authority), path = glue_lent(url->path);
    if (!http_set_method(composed, request->method) || !wasi_http_types_method_outgoing_request_set_scheme(composed, &scheme) ||
        !wasi_http_types_method_outgoing_request_set_authority(composed, &authority) ||
        !wasi_http_types_method_outgoing_request_set_path_with_query(composed, &path)) {
        return http_gave_up(BW_REFUSED, why, "the host takes the method, the host name or the path for malformed");
    }
    return BW_ANSWERED;
}

/* Time-outs are wishes: a host that does not take one bounds the call by itself. */
static wasi_http_types_own_request_options_t http_options(uint32_t seconds) {
    wasi_http_types_own_request_options_t options = wasi_http_types_constructor_request_options();
    wasi_http_types_borrow_request_options_t wishes = wasi_http_types_borrow_request_options(options);
    uint64_t nanoseconds = (uint64_t)seconds * 1000000000u;
    bool taken = wasi_http_types_method_request_options_set_connect_timeout(wishes, &nanoseconds);
    taken = wasi_http_types_method_request_options_set_first_byte_timeout(wishes, &nanoseconds) && taken;
    taken = wasi_http_types_method_request_options_set_between_bytes_timeout(wishes, &nanoseconds) && taken;
    if (!taken) {
        bw_log(BW_LOG_DEBUG, "the host takes no time-outs for requests");
    }
    return options;
}

/* Sends the body. False when the host stopped taking it, the connection having broken or the request being refused: the answer
 * that is waited for knows which. */
static bool http_write(wasi_http_types_own_outgoing_body_t body, bw_bytes bytes) {
    wasi_http_types_own_output_stream_t stream;
    if (!wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(body), &stream)) {
        wasi_http_types_outgoing_body_drop_own(body);
        return false;
    }
    bool taken = true;
    for (size_t place = 0; taken && place < bytes.count; place += HTTP_WRITE) {
        world_list_u8_t part = {(uint8_t *)bytes.data + place, bytes.count - place < HTTP_WRITE ? bytes.count - place : HTTP_WRITE};
        wasi_io_streams_stream_error_t failed;
        taken = wasi_io_streams_method_output_stream_blocking_write_and_flush(wasi_io_streams_borrow_output_stream(stream), &part, &failed);
    }
    /* A child of the body: it must be gone before the body is. */
    wasi_io_streams_output_stream_drop_own(stream);
    if (!taken) {
        wasi_http_types_outgoing_body_drop_own(body);
        return false;
    }
    wasi_http_types_error_code_t code;
    return wasi_http_types_static_outgoing_body_finish(body, NULL, &code);
}

/* Waits for the answer to a request that was sent whole, or was not. */
static bw_http_outcome http_wait(wasi_http_types_own_future_incoming_response_t waiting, bool sent,
                                 wasi_http_types_own_incoming_response_t *answer, bw_text *why) {
    wasi_http_types_borrow_future_incoming_response_t future = wasi_http_types_borrow_future_incoming_response(waiting);
    wasi_http_types_own_pollable_t pollable = wasi_http_types_method_future_incoming_response_subscribe(future);
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(pollable));
    wasi_io_poll_pollable_drop_own(pollable);
    wasi_http_types_result_result_own_incoming_response_error_code_void_t got;
    if (!wasi_http_types_method_future_incoming_response_get(future, &got) || got.is_err) {
        return http_gave_up(sent ? BW_BROKEN : BW_UNREACHABLE, why, "no answer came");
    }
    if (!got.val.ok.is_err) {
        *answer = got.val.ok.val.ok;
        return BW_ANSWERED;
    }
    if (!sent && got.val.ok.val.err.tag == WASI_HTTP_TYPES_ERROR_CODE_HTTP_PROTOCOL_ERROR) {
        /* A body that breaks off is a breach of the protocol, but not one that stays. */
        return http_gave_up(BW_UNREACHABLE, why, "the connection broke while the request was sent");
    }
    return http_failed(&got.val.ok.val.err, why);
}

static void http_headers(wasi_http_types_borrow_incoming_response_t answer, bw_http_response *response) {
    wasi_http_types_own_headers_t fields = wasi_http_types_method_incoming_response_headers(answer);
    wasi_http_types_list_tuple2_field_name_field_value_t entries;
    wasi_http_types_method_fields_entries(wasi_http_types_borrow_fields(fields), &entries);
    bw_header *headers = bw_alloc_array(entries.len, sizeof *headers);
    for (size_t place = 0; place < entries.len; place++) {
        const char *value = (const char *)entries.ptr[place].f1.ptr;
        if (bw_utf8(value, entries.ptr[place].f1.len)) {
            headers[response->header_count++] = (bw_header){
                bw_text_copy((const char *)entries.ptr[place].f0.ptr, entries.ptr[place].f0.len),
                bw_text_copy(value, entries.ptr[place].f1.len),
            };
        }
    }
    response->headers = headers;
    wasi_http_types_fields_drop_own(fields);
}

static bw_http_outcome http_read(wasi_http_types_own_incoming_response_t answer, bw_http_response *response, bw_text *why) {
    wasi_http_types_borrow_incoming_response_t borrowed = wasi_http_types_borrow_incoming_response(answer);
    response->status = wasi_http_types_method_incoming_response_status(borrowed);
    http_headers(borrowed, response);
    wasi_http_types_own_incoming_body_t body;
    wasi_http_types_own_input_stream_t stream;
    if (!wasi_http_types_method_incoming_response_consume(borrowed, &body) ||
        !wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(body), &stream)) {
        return http_gave_up(BW_BROKEN, why, "the answer's body was taken twice");
    }
    bw_buffer read = {0};
    while (read.count < BW_ANSWER_LIMIT) {
        size_t rest = BW_ANSWER_LIMIT - read.count;
        world_list_u8_t part;
        wasi_io_streams_stream_error_t ended;
        if (!wasi_io_streams_method_input_stream_blocking_read(wasi_io_streams_borrow_input_stream(stream), rest < HTTP_READ ? rest : HTTP_READ,
                                                               &part, &ended)) {
            if (ended.tag != WASI_IO_STREAMS_STREAM_ERROR_CLOSED) {
                return http_gave_up(BW_UNREACHABLE, why, "the connection broke while the answer was read");
            }
            break;
        }
        bw_buffer_add(&read, part.ptr, part.len);
        world_list_u8_free(&part);
    }
    wasi_io_streams_input_stream_drop_own(stream);
    wasi_http_types_incoming_body_drop_own(body);
    response->body = (bw_bytes){read.data, read.count};
    return BW_ANSWERED;
}

bw_http_outcome bw_http_exchange(const bw_http_request *request, const bw_url *url, bw_http_response *response, bw_text *why) {
    wasi_http_types_own_outgoing_request_t outgoing;
    bw_http_outcome outcome = http_compose(request, url, &outgoing, why);
    if (outcome != BW_ANSWERED) {
        return outcome;
    }
    wasi_http_types_own_outgoing_body_t body;
    if (!wasi_http_types_method_outgoing_request_body(wasi_http_types_borrow_outgoing_request(outgoing), &body)) {
        return http_gave_up(BW_BROKEN, why, "the request has no body to write");
    }
    wasi_http_types_own_request_options_t options = http_options(request->timeout_seconds);
    wasi_http_types_own_future_incoming_response_t waiting;
    wasi_http_types_error_code_t code;
    if (!wasi_http_outgoing_handler_handle(outgoing, &options, &waiting, &code)) {
        return http_failed(&code, why);
    }
    bool sent = http_write(body, request->body);
    wasi_http_types_own_incoming_response_t answer;
    outcome = http_wait(waiting, sent, &answer, why);
    if (outcome == BW_ANSWERED) {
        *response = (bw_http_response){0};
        outcome = http_read(answer, response, why);
    }
    return outcome;
}
