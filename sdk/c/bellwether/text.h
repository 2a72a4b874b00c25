/* Texts: UTF-8 with a length.
 *
 * Whatever goes to the host must be UTF-8, or the call is a fault of the plugin. The layer below a plugin repairs what is
 * not (`bw_text_repaired`): a message cut in the middle of a letter costs the letter, not the call.
 */
#ifndef BELLWETHER_TEXT_H
#define BELLWETHER_TEXT_H

#include <stdarg.h>

#include "memory.h"

#if defined(__GNUC__)
#define BW_PRINTF(template, first) __attribute__((format(printf, template, first)))
#else
#define BW_PRINTF(template, first)
#endif

/* UTF-8 text. `data[length]` is always 0, so `%s` works; a text may hold further zeros, and then only `length` tells. */
typedef struct {
    const char *data;
    size_t length;
} bw_text;

/* Texts. */
typedef struct {
    const bw_text *data;
    size_t count;
} bw_texts;

/* The text of a C string, which is not copied. */
bw_text bw_text_of(const char *text);

/* Texts of C strings: BW_TEXTS("a", "b"). */
#define BW_TEXTS(...) bw_texts_of((const char *const[]){__VA_ARGS__, NULL})

/* The same from an array ended by NULL. */
bw_texts bw_texts_of(const char *const *texts);

/* A copy of `length` bytes, with the final 0. */
bw_text bw_text_copy(const char *data, size_t length);

/* A text as printf makes it. */
bw_text bw_textf(const char *format, ...) BW_PRINTF(1, 2);

/* The same from a list of arguments. */
bw_text bw_textv(const char *format, va_list arguments) BW_PRINTF(1, 0);

/* Two texts are equal. */
bool bw_text_equal(bw_text one, bw_text other);

/* A text equals a C string. */
bool bw_text_is(bw_text text, const char *other);

/* Texts with `separator` between them. */
bw_text bw_text_join(bw_texts texts, const char *separator);

/* Two lists hold the same texts in the same order. */
bool bw_texts_equal(bw_texts one, bw_texts other);

/* Bytes are UTF-8 (RFC 3629). */
bool bw_utf8(const char *data, size_t length);

/* The text itself when it is UTF-8; else a copy with `?` for every byte that is not part of a letter. */
bw_text bw_text_repaired(bw_text text);

#endif
