/* What is the same about every exchange: URLs, headers, and which failures another try may cure. */
#include <string.h>

#include "http_exchange.h"

static char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? (char)(letter | 0x20) : letter;
}

static bool same_letters(const char *one, const char *other, size_t length) {
    for (size_t place = 0; place < length; place++) {
        if (lower(one[place]) != lower(other[place])) {
            return false;
        }
    }
    return true;
}

static bool is_named(bw_text name, const char *other) {
    return name.length == strlen(other) && same_letters(name.data, other, name.length);
}

/* Length of a scheme in front, with its `://`; 0 when it is another. */
static size_t scheme(bw_text text, const char *name) {
    size_t length = strlen(name);
    return text.length >= length && same_letters(text.data, name, length) ? length : 0;
}

const bw_error *bw_url_parse(bw_text text, bw_url *url) {
    for (size_t place = 0; place < text.length; place++) {
        unsigned char letter = (unsigned char)text.data[place];
        if (letter <= 0x20 || letter == 0x7F) {
            return bw_invalid_config("the URL to call contains a space or a control character");
        }
    }
    size_t secure = scheme(text, "https://"), start = secure > 0 ? secure : scheme(text, "http://");
    if (start == 0) {
        return bw_invalid_config("`%s` is not a URL to call: it must begin with https:// or http://", text.data);
    }
    size_t slash = start + strcspn(text.data + start, "/?#"), end = start + strcspn(text.data + start, "#");
    if (memchr(text.data + start, '@', slash - start) != NULL) {
        return bw_invalid_config("a URL to call must not carry a user name or a password: use a header and a secret");
    }
    if (slash == start || text.data[start] == ':') {
        return bw_invalid_config("`%s` is not a URL to call: it names no host", text.data);
    }
    bw_text authority = bw_text_copy(text.data + start, slash - start);
    for (size_t place = 0; place < authority.length; place++) {
        ((char *)authority.data)[place] = lower(authority.data[place]);
    }
    const char *root = text.data[slash] == '/' ? "" : "/";
    *url = (bw_url){secure > 0, authority, bw_textf("%s%.*s", root, (int)(end - slash), text.data + slash)};
    return NULL;
}

/* A header name is a token and its value has no control character: a line break would start another header. */
static bool well_formed(const bw_header *header) {
    bool fine = header->name.length > 0;
    for (size_t place = 0; fine && place < header->name.length; place++) {
        char letter = header->name.data[place];
        bool alphanumeric = (lower(letter) >= 'a' && lower(letter) <= 'z') || (letter >= '0' && letter <= '9');
        fine = alphanumeric || (letter != 0 && strchr("!#$%&'*+-.^_`|~", letter) != NULL);
    }
    for (size_t place = 0; fine && place < header->value.length; place++) {
        unsigned char letter = (unsigned char)header->value.data[place];
        fine = letter == '\t' || (letter >= 0x20 && letter != 0x7F);
    }
    return fine;
}

const bw_error *bw_http_send(const bw_http_request *request, bw_http_response *response) {
    bw_url url;
    BW_TRY(bw_url_parse(request->url, &url));
    for (size_t place = 0; place < request->header_count; place++) {
        if (!well_formed(&request->headers[place])) {
            return bw_invalid_config("header %zu is not one that can be sent: a name is letters, digits and `-`, a value one line",
                                     place);
        }
    }
    bw_text why = {0};
    bw_http_outcome outcome = bw_http_exchange(request, &url, response, &why);
    const char *protocol = url.secure ? "https" : "http";
    switch (outcome) {
    case BW_ANSWERED:
        return NULL;
    case BW_UNREACHABLE:
        return bw_transient("%s://%s: %s", protocol, url.authority.data, why.data);
    case BW_REFUSED:
        return bw_invalid_config("%s://%s: %s (has the operator granted this origin?)", protocol, url.authority.data, why.data);
    case BW_BROKEN:
        break;
    }
    return bw_other("http-failed", "%s://%s: %s", protocol, url.authority.data, why.data);
}

const bw_error *bw_http_success(const bw_http_response *response) {
    unsigned status = response->status;
    if (status >= 200 && status < 300) {
        return NULL;
    }
    int shown = response->body.count < 200 ? (int)response->body.count : 200;
    bw_text start = shown > 0 ? bw_text_copy((const char *)response->body.data, (size_t)shown) : bw_text_of("");
    if (status == 408 || status == 425 || status == 429 || (status >= 500 && status < 600)) {
        return bw_transient("the receiver answered %u: %s", status, start.data);
    }
    return bw_other(bw_textf("http-%u", status).data, "the receiver answered %u: %s", status, start.data);
}

const bw_error *bw_http_post_json(bw_text url, const bw_header *headers, size_t header_count, bw_text document, uint32_t timeout_seconds) {
    bw_header *all = bw_alloc_array(header_count + 1, sizeof *all);
    bool typed = false;
    for (size_t place = 0; place < header_count; place++) {
        all[place] = headers[place];
        typed = typed || is_named(headers[place].name, "content-type");
    }
    all[header_count] = (bw_header){bw_text_of("content-type"), bw_text_of("application/json")};
    bw_http_request request = {
        .method = bw_text_of("POST"),
        .url = url,
        .headers = all,
        .header_count = header_count + !typed,
        .body = {(const uint8_t *)document.data, document.length},
        .timeout_seconds = timeout_seconds,
    };
    bw_http_response response = {0};
    BW_TRY(bw_http_send(&request, &response));
    return bw_http_success(&response);
}

bw_text bw_http_header(const bw_http_response *response, const char *name) {
    for (size_t place = 0; place < response->header_count; place++) {
        if (is_named(response->headers[place].name, name)) {
            return response->headers[place].value;
        }
    }
    return (bw_text){0};
}
