/* Writing JSON. Mistakes in nesting are the plugin's own, so they are repaired and not reported. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* Past the depth the reader takes a document would be useless: what lies there is null, and nothing of it is written. */
static void emit(bw_document *document, const char *data, size_t length) {
    if (document->depth <= BW_JSON_DEPTH) {
        bw_buffer_add(&document->bytes, data, length);
    }
}

static void add(bw_document *document, const char *text) {
    emit(document, text, strlen(text));
}

static void add_quoted(bw_document *document, bw_text text) {
    add(document, "\"");
    size_t plain = 0;
    for (size_t place = 0; place < text.length; place++) {
        unsigned char letter = (unsigned char)text.data[place];
        if (letter >= 0x20 && letter != '"' && letter != '\\') {
            continue;
        }
        emit(document, text.data + plain, place - plain);
        plain = place + 1;
        char escape[8];
        if (letter == '"' || letter == '\\') {
            snprintf(escape, sizeof escape, "\\%c", letter);
        } else {
            snprintf(escape, sizeof escape, "\\u%04x", letter);
        }
        add(document, escape);
    }
    emit(document, text.data + plain, text.length - plain);
    add(document, "\"");
}

static void begin(bw_document *document, const char *name) {
    if (name != NULL) {
        bw_put_name(document, bw_text_of(name));
    } else if (document->comma) {
        add(document, ",");
    }
    document->comma = true;
}

static void open(bw_document *document, const char *name, bool object) {
    begin(document, name);
    if (document->depth < BW_JSON_DEPTH) {
        document->object[document->depth] = object;
        add(document, object ? "{" : "[");
    } else {
        add(document, "null");
    }
    document->depth++;
    document->comma = false;
}

void bw_put_name(bw_document *document, bw_text name) {
    if (document->comma) {
        add(document, ",");
    }
    add_quoted(document, name);
    add(document, ":");
    document->comma = false;
}

void bw_put_object(bw_document *document, const char *name) {
    open(document, name, true);
}

void bw_put_array(bw_document *document, const char *name) {
    open(document, name, false);
}

void bw_put_end(bw_document *document) {
    if (document->depth > 0) {
        document->depth--;
        if (document->depth < BW_JSON_DEPTH) {
            add(document, document->object[document->depth] ? "}" : "]");
        }
        document->comma = true;
    }
}

void bw_put_number(bw_document *document, const char *name, double value) {
    begin(document, name);
    char text[32] = "null";
    for (int digits = 15; isfinite(value) && digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    add(document, text);
}

void bw_put_whole(bw_document *document, const char *name, int64_t value) {
    begin(document, name);
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    add(document, text);
}

void bw_put_boolean(bw_document *document, const char *name, bool value) {
    begin(document, name);
    add(document, value ? "true" : "false");
}

void bw_put_text(bw_document *document, const char *name, bw_text value) {
    begin(document, name);
    add_quoted(document, bw_text_repaired(value));
}

void bw_put_null(bw_document *document, const char *name) {
    begin(document, name);
    add(document, "null");
}

void bw_put_numbers(bw_document *document, const char *name, bw_numbers values) {
    bw_put_array(document, name);
    for (size_t place = 0; place < values.count; place++) {
        bw_put_number(document, NULL, values.data[place]);
    }
    bw_put_end(document);
}

void bw_put_json(bw_document *document, const char *name, const bw_json *value) {
    switch (value->kind) {
    case BW_JSON_NULL:
        bw_put_null(document, name);
        return;
    case BW_JSON_BOOLEAN:
        bw_put_boolean(document, name, value->boolean);
        return;
    case BW_JSON_NUMBER:
        bw_put_number(document, name, value->number);
        return;
    case BW_JSON_TEXT:
        bw_put_text(document, name, value->text);
        return;
    case BW_JSON_ARRAY:
    case BW_JSON_OBJECT:
        break;
    }
    open(document, name, value->kind == BW_JSON_OBJECT);
    for (const bw_json *part = value->first; part != NULL; part = part->next) {
        if (value->kind == BW_JSON_OBJECT) {
            bw_put_name(document, part->name);
        }
        bw_put_json(document, NULL, part);
    }
    bw_put_end(document);
}

bw_text bw_document_text(bw_document *document) {
    while (document->depth > 0) {
        bw_put_end(document);
    }
    return bw_text_copy((const char *)document->bytes.data, document->bytes.count);
}
