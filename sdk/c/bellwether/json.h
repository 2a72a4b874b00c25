/* JSON (RFC 8259): a strict reader into a tree, and a writer.
 *
 * The reader takes nothing that is not JSON, no deeper than BW_JSON_DEPTH, and needs memory in proportion to the text. The
 * host checks a configuration against the plugin's schema and fills in its defaults before a plugin sees it, so a setting
 * with a default is always there; the `bw_config_` functions say so politely should it not be.
 */
#ifndef BELLWETHER_JSON_H
#define BELLWETHER_JSON_H

#include "error.h"

/* Deepest nesting that is read or written. */
#define BW_JSON_DEPTH 64

/* A JSON document written into a program as it is: BW_JSON({"type": "object"}). Comments within it are the compiler's. */
#define BW_JSON(...) #__VA_ARGS__

typedef enum { BW_JSON_NULL, BW_JSON_BOOLEAN, BW_JSON_NUMBER, BW_JSON_TEXT, BW_JSON_ARRAY, BW_JSON_OBJECT } bw_json_kind;

typedef struct bw_json bw_json;

/* A value. Members of an object and elements of an array are a chain: for (e = array->first; e != NULL; e = e->next). */
struct bw_json {
    bw_json_kind kind;
    /* Of a member: its name. */
    bw_text name;
    bool boolean;
    double number;
    bw_text text;
    /* Members or elements. */
    size_t count;
    const bw_json *first;
    const bw_json *next;
};

/* Reads a document. NULL when it is not JSON, with the reason in `why`. A number past the range of a double is not taken. */
const bw_json *bw_json_parse(bw_text document, bw_text *why);

/* The member of an object, or NULL. Of two with one name the last counts. */
const bw_json *bw_json_get(const bw_json *object, const char *name);

/* The element of an array, or NULL. */
const bw_json *bw_json_at(const bw_json *array, size_t place);

/* Settings of a configuration. Errors: BW_INVALID_CONFIG naming the setting, when it is missing or of another kind. */
const bw_error *bw_config_number(const bw_json *config, const char *name, double *value);
const bw_error *bw_config_whole(const bw_json *config, const char *name, int64_t *value);
const bw_error *bw_config_boolean(const bw_json *config, const char *name, bool *value);
const bw_error *bw_config_text(const bw_json *config, const char *name, bw_text *value);
const bw_error *bw_config_numbers(const bw_json *config, const char *name, bw_numbers *values);
const bw_error *bw_config_texts(const bw_json *config, const char *name, bw_texts *values);
/* One of some words, ended by NULL; `value` becomes the word's place. */
const bw_error *bw_config_choice(const bw_json *config, const char *name, const char *const *words, int *value);

/* A document being written; `{0}` is empty. `name` is that of a member, NULL for an element of an array and for the document
 * itself:
 *
 *     bw_document detail = {0};
 *     bw_put_object(&detail, NULL);
 *     bw_put_number(&detail, "mean", mean);
 *     bw_put_end(&detail);
 *     outcome->detail = bw_document_text(&detail);
 */
typedef struct {
    bw_buffer bytes;
    int depth;
    bool comma;
    /* Whether the value open at each depth is an object. */
    bool object[BW_JSON_DEPTH];
} bw_document;

void bw_put_object(bw_document *document, const char *name);
void bw_put_array(bw_document *document, const char *name);
/* Ends the object or array begun last. */
void bw_put_end(bw_document *document);
/* The shortest text that reads back as the same number; null for NaN and the infinities, which JSON lacks. */
void bw_put_number(bw_document *document, const char *name, double value);
void bw_put_whole(bw_document *document, const char *name, int64_t value);
void bw_put_boolean(bw_document *document, const char *name, bool value);
void bw_put_text(bw_document *document, const char *name, bw_text value);
void bw_put_null(bw_document *document, const char *name);
void bw_put_numbers(bw_document *document, const char *name, bw_numbers values);
/* A value read before, for example the detail of an alert. */
void bw_put_json(bw_document *document, const char *name, const bw_json *value);
/* The same as the functions above for a member whose name is no C string. */
void bw_put_name(bw_document *document, bw_text name);

/* The text so far; what is still open is closed. */
bw_text bw_document_text(bw_document *document);

#endif
