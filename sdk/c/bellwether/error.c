/* Making errors. */
#include "error.h"

static const bw_error *make(bw_error_code code, const char *name, const char *format, va_list arguments) {
    bw_error *error = bw_alloc(sizeof *error);
    *error = (bw_error){code, bw_text_of(name), bw_textv(format, arguments)};
    return error;
}

/* The five constructors that differ only in their code. */
#define CONSTRUCTOR(function, code)                                \
    const bw_error *function(const char *format, ...) {            \
        va_list arguments;                                         \
        va_start(arguments, format);                               \
        const bw_error *error = make(code, "", format, arguments); \
        va_end(arguments);                                         \
        return error;                                              \
    }

CONSTRUCTOR(bw_invalid_config, BW_INVALID_CONFIG)
CONSTRUCTOR(bw_invalid_input, BW_INVALID_INPUT)
CONSTRUCTOR(bw_unsupported, BW_UNSUPPORTED)
CONSTRUCTOR(bw_transient, BW_TRANSIENT)
CONSTRUCTOR(bw_internal, BW_INTERNAL)

const bw_error *bw_other(const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const bw_error *error = make(BW_OTHER, name, format, arguments);
    va_end(arguments);
    return error;
}

const char *bw_error_word(bw_error_code code) {
    static const char *const words[] = {"invalid-config", "invalid-input", "unsupported", "transient", "internal", "other"};
    return words[code];
}
