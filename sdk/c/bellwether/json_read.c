/* Reading JSON: recursive descent over the text, bounded in depth, one node per value. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

typedef struct {
    const char *at;
    const char *end;
    const char *why;
} cursor;

static bw_json *read_value(cursor *in, int depth);

static bw_json *refuse(cursor *in, const char *why) {
    if (in->why == NULL) {
        in->why = why;
    }
    return NULL;
}

static bw_json *make(bw_json_kind kind) {
    bw_json *value = bw_alloc(sizeof *value);
    value->kind = kind;
    return value;
}

static void skip_space(cursor *in) {
    while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')) {
        in->at++;
    }
}

static bool eat(cursor *in, char letter) {
    if (in->at < in->end && *in->at == letter) {
        in->at++;
        return true;
    }
    return false;
}

static bool eat_word(cursor *in, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) >= length && memcmp(in->at, word, length) == 0) {
        in->at += length;
        return true;
    }
    return false;
}

static bool eat_digits(cursor *in) {
    const char *start = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        in->at++;
    }
    return in->at > start;
}

static bw_json *read_number(cursor *in) {
    const char *start = in->at;
    eat(in, '-');
    /* A number does not begin with a zero that is not all of its whole part. */
    bool well_formed = eat(in, '0') || eat_digits(in);
    if (well_formed && eat(in, '.')) {
        well_formed = eat_digits(in);
    }
    if (well_formed && (eat(in, 'e') || eat(in, 'E'))) {
        if (!eat(in, '+')) {
            eat(in, '-');
        }
        well_formed = eat_digits(in);
    }
    if (!well_formed) {
        return refuse(in, "this is no value");
    }
    bw_json *value = make(BW_JSON_NUMBER);
    /* strtod needs an end it can see. */
    value->number = strtod(bw_text_copy(start, (size_t)(in->at - start)).data, NULL);
    return isfinite(value->number) ? value : refuse(in, "the number is too large");
}

/* Four hexadecimal digits, or -1. */
static long read_hex(cursor *in) {
    long point = 0;
    for (int digit = 0; digit < 4; digit++) {
        if (in->at == in->end) {
            return -1;
        }
        char letter = *in->at++;
        if (letter >= '0' && letter <= '9') {
            point = point * 16 + (letter - '0');
        } else if ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'f') {
            point = point * 16 + ((letter | 0x20) - 'a' + 10);
        } else {
            return -1;
        }
    }
    return point;
}

/* Writes a code point as UTF-8 and returns where it ends. It is never longer than the escape it was written as. */
static char *write_point(char *out, long point) {
    if (point < 0x80) {
        *out++ = (char)point;
    } else if (point < 0x800) {
        *out++ = (char)(0xC0 | point >> 6);
        *out++ = (char)(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        *out++ = (char)(0xE0 | point >> 12);
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    } else {
        *out++ = (char)(0xF0 | point >> 18);
        *out++ = (char)(0x80 | (point >> 12 & 0x3F));
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    }
    return out;
}

/* What follows a backslash; NULL when that is no escape. */
static char *read_escape(cursor *in, char *out) {
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (in->at == in->end) {
        return NULL;
    }
    char letter = *in->at++;
    if (letter != 'u') {
        const char *found = letter == 0 ? NULL : strchr(letters, letter);
        if (found == NULL) {
            return NULL;
        }
        *out = meanings[found - letters];
        return out + 1;
    }
    long point = read_hex(in);
    if (point >= 0xD800 && point <= 0xDBFF) {
        /* The first half of a pair is nothing without the second. */
        long second = eat_word(in, "\\u") ? read_hex(in) : -1;
        if (second < 0xDC00 || second > 0xDFFF) {
            return NULL;
        }
        point = 0x10000 + ((point - 0xD800) << 10) + (second - 0xDC00);
    } else if (point >= 0xDC00 && point <= 0xDFFF) {
        return NULL;
    }
    return point < 0 ? NULL : write_point(out, point);
}

/* A text, its opening quote already eaten. */
static bool read_text(cursor *in, bw_text *text) {
    const char *end = in->at;
    while (end < in->end && *end != '"') {
        end += *end == '\\' ? 2 : 1;
    }
    if (end >= in->end) {
        refuse(in, "a text has no end");
        return false;
    }
    char *start = bw_alloc((size_t)(end - in->at) + 1), *out = start;
    while (in->at < end) {
        char letter = *in->at++;
        if ((unsigned char)letter < 0x20) {
            refuse(in, "a control character in a text must be written as an escape");
            return false;
        }
        if (letter != '\\') {
            *out++ = letter;
        } else if ((out = read_escape(in, out)) == NULL || in->at > end) {
            refuse(in, "a text holds a bad escape");
            return false;
        }
    }
    in->at = end + 1;
    *text = (bw_text){start, (size_t)(out - start)};
    return true;
}

static bool read_name(cursor *in, bw_text *name) {
    skip_space(in);
    if (!eat(in, '"')) {
        refuse(in, "a member needs a name in quotes");
        return false;
    }
    if (!read_text(in, name)) {
        return false;
    }
    skip_space(in);
    if (!eat(in, ':')) {
        refuse(in, "a colon must follow a name");
        return false;
    }
    return true;
}

/* An array or object, its opening bracket already eaten. */
static bw_json *read_chain(cursor *in, bw_json_kind kind, int depth) {
    char close = kind == BW_JSON_OBJECT ? '}' : ']';
    bw_json *chain = make(kind);
    const bw_json **link = &chain->first;
    skip_space(in);
    if (eat(in, close)) {
        return chain;
    }
    do {
        bw_text name = {0};
        if (kind == BW_JSON_OBJECT && !read_name(in, &name)) {
            return NULL;
        }
        bw_json *value = read_value(in, depth + 1);
        if (value == NULL) {
            return NULL;
        }
        value->name = name;
        *link = value;
        link = &value->next;
        chain->count++;
        skip_space(in);
    } while (eat(in, ','));
    return eat(in, close) ? chain : refuse(in, "a comma or a closing bracket must follow");
}

static bw_json *read_value(cursor *in, int depth) {
    skip_space(in);
    bool object = eat(in, '{');
    if (object || eat(in, '[')) {
        bw_json_kind kind = object ? BW_JSON_OBJECT : BW_JSON_ARRAY;
        return depth < BW_JSON_DEPTH ? read_chain(in, kind, depth) : refuse(in, "it is nested too deep");
    }
    if (eat(in, '"')) {
        bw_json *value = make(BW_JSON_TEXT);
        return read_text(in, &value->text) ? value : NULL;
    }
    if (eat_word(in, "null")) {
        return make(BW_JSON_NULL);
    }
    bool yes = eat_word(in, "true");
    if (yes || eat_word(in, "false")) {
        bw_json *value = make(BW_JSON_BOOLEAN);
        value->boolean = yes;
        return value;
    }
    return read_number(in);
}

const bw_json *bw_json_parse(bw_text document, bw_text *why) {
    cursor in = {document.data, document.data + document.length, NULL};
    bw_json *value = bw_utf8(document.data, document.length) ? read_value(&in, 0) : refuse(&in, "it is not UTF-8");
    if (value != NULL) {
        skip_space(&in);
        if (in.at != in.end) {
            value = refuse(&in, "something follows the document");
        }
    }
    if (value == NULL && why != NULL) {
        *why = bw_textf("%s (byte %td)", in.why, in.at - document.data);
    }
    return value;
}
