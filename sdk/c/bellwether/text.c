/* Texts. */
#include "text.h"

#include <stdio.h>
#include <string.h>

bw_text bw_text_of(const char *text) {
    return (bw_text){text, strlen(text)};
}

bw_texts bw_texts_of(const char *const *texts) {
    size_t count = 0;
    while (texts[count] != NULL) {
        count++;
    }
    bw_text *all = bw_alloc_array(count, sizeof *all);
    for (size_t place = 0; place < count; place++) {
        all[place] = bw_text_of(texts[place]);
    }
    return (bw_texts){all, count};
}

bw_text bw_text_copy(const char *data, size_t length) {
    char *copy = bw_alloc(length + 1);
    if (length > 0) {
        memcpy(copy, data, length);
    }
    return (bw_text){copy, length};
}

bw_text bw_textf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bw_text text = bw_textv(format, arguments);
    va_end(arguments);
    return text;
}

bw_text bw_textv(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        length = 0;
    }
    char *text = bw_alloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return (bw_text){text, (size_t)length};
}

bool bw_text_equal(bw_text one, bw_text other) {
    return one.length == other.length && (one.length == 0 || memcmp(one.data, other.data, one.length) == 0);
}

bool bw_text_is(bw_text text, const char *other) {
    return bw_text_equal(text, bw_text_of(other));
}

bw_text bw_text_join(bw_texts texts, const char *separator) {
    bw_buffer joined = {0};
    for (size_t place = 0; place < texts.count; place++) {
        if (place > 0) {
            bw_buffer_add(&joined, separator, strlen(separator));
        }
        bw_buffer_add(&joined, texts.data[place].data, texts.data[place].length);
    }
    return bw_text_copy((const char *)joined.data, joined.count);
}

bool bw_texts_equal(bw_texts one, bw_texts other) {
    bool equal = one.count == other.count;
    for (size_t place = 0; equal && place < one.count; place++) {
        equal = bw_text_equal(one.data[place], other.data[place]);
    }
    return equal;
}

/* Bytes of the letter that begins here, or 0 when none does. */
static size_t letter(const unsigned char *bytes, size_t rest) {
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t more = 0; more < 4; more++) {
        if ((bytes[0] & forms[more].mask) != forms[more].lead) {
            continue;
        }
        uint32_t point = bytes[0] & (unsigned char)~forms[more].mask;
        if (more >= rest) {
            return 0;
        }
        for (size_t place = 1; place <= more; place++) {
            if ((bytes[place] & 0xC0) != 0x80) {
                return 0;
            }
            point = point << 6 | (bytes[place] & 0x3F);
        }
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        return point >= forms[more].least && point <= 0x10FFFF && !surrogate ? more + 1 : 0;
    }
    return 0;
}

bool bw_utf8(const char *data, size_t length) {
    for (size_t place = 0; place < length;) {
        size_t bytes = letter((const unsigned char *)data + place, length - place);
        if (bytes == 0) {
            return false;
        }
        place += bytes;
    }
    return true;
}

bw_text bw_text_repaired(bw_text text) {
    if (bw_utf8(text.data, text.length)) {
        return text;
    }
    bw_text copy = bw_text_copy(text.data, text.length);
    char *data = (char *)copy.data;
    for (size_t place = 0; place < copy.length;) {
        size_t bytes = letter((const unsigned char *)data + place, copy.length - place);
        if (bytes == 0) {
            data[place] = '?';
        }
        place += bytes == 0 ? 1 : bytes;
    }
    return copy;
}
