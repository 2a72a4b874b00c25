/* The errors of the contract. A function that may fail returns NULL when it did not, else the error.
 *
 * The message is shown to a person: say what was wrong and what would be right. A trap is never an answer: the host counts
 * it as the plugin's fault.
 */
#ifndef BELLWETHER_ERROR_H
#define BELLWETHER_ERROR_H

#include "text.h"

typedef enum {
    /* The configuration passed the schema and is still wrong. */
    BW_INVALID_CONFIG,
    /* The data cannot be used: too few rows, a constant column, a foreign state. */
    BW_INVALID_INPUT,
    /* The request is well formed but this plugin does not do it. */
    BW_UNSUPPORTED,
    /* Another try may succeed. The host retries only these. */
    BW_TRANSIENT,
    /* The plugin found itself broken. */
    BW_INTERNAL,
    /* A kind without a name of its own: `name` says which. */
    BW_OTHER,
} bw_error_code;

typedef struct {
    bw_error_code code;
    /* For BW_OTHER a stable word, else empty. */
    bw_text name;
    bw_text message;
} bw_error;

const bw_error *bw_invalid_config(const char *format, ...) BW_PRINTF(1, 2);
const bw_error *bw_invalid_input(const char *format, ...) BW_PRINTF(1, 2);
const bw_error *bw_unsupported(const char *format, ...) BW_PRINTF(1, 2);
const bw_error *bw_transient(const char *format, ...) BW_PRINTF(1, 2);
const bw_error *bw_internal(const char *format, ...) BW_PRINTF(1, 2);
const bw_error *bw_other(const char *name, const char *format, ...) BW_PRINTF(2, 3);

/* The contract's word for a code, `invalid-input` for example. */
const char *bw_error_word(bw_error_code code);

/* Returns the error of an expression to the caller, if it is one. */
#define BW_TRY(expression)                         \
    do {                                           \
        const bw_error *bw_failed_ = (expression); \
        if (bw_failed_ != NULL) {                  \
            return bw_failed_;                     \
        }                                          \
    } while (0)

#endif
