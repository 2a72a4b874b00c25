/* What every world needs between the generated bindings and a plugin. Each world's file includes its bindings and then this once.
 *
 * Whatever comes in is copied or freed here, and whatever goes out is copied into memory of its own, which the bindings free after
 * the host has read it: so a plugin needs no rules of ownership.
 */
#include <stdlib.h>
#include <string.h>

#include "../plugin.h"

/* Memory the bindings will free. */
static void *glue_memory(size_t count, size_t size) {
    if (count == 0) {
        return NULL;
    }
    void *memory = calloc(count, size);
    if (memory == NULL) {
        bw_host_log(BW_LOG_ERROR, bw_text_of("out of memory for the answer: raise limits.memory in plugin.toml"));
        __builtin_trap();
    }
    return memory;
}

/* A text from the host, which is freed. */
static bw_text glue_text_in(world_string_t *text) {
    bw_text copy = bw_text_copy((const char *)text->ptr, text->len);
    world_string_free(text);
    return copy;
}

static world_string_t glue_text_out(bw_text text) {
    bw_text valid = text.data == NULL ? bw_text_of("") : bw_text_repaired(text);
    world_string_t out = {glue_memory(valid.length, 1), valid.length};
    if (valid.length > 0) {
        memcpy(out.ptr, valid.data, valid.length);
    }
    return out;
}

void bw_host_log(bw_log_level level, bw_text message) {
    /* Borrowed for the call only, so nothing is copied: this must work when memory is short. */
    world_string_t text = {(uint8_t *)message.data, message.length};
    if (bw_utf8(message.data, message.length)) {
        bellwether_host_log_write((bellwether_host_log_level_t)level, &text);
    }
}

/* Texts from the host; the list is freed. */
static bw_texts glue_texts_in(world_string_t *data, size_t count) {
    bw_text *texts = bw_alloc_array(count, sizeof *texts);
    for (size_t place = 0; place < count; place++) {
        texts[place] = glue_text_in(&data[place]);
    }
    if (count > 0) {
        /* An empty list has no memory, and its pointer need not be NULL. */
        free(data);
    }
    return (bw_texts){texts, count};
}

/* Ends a call: its error, if there is one, goes out, and all of its memory goes. True when there is none. */
static bool glue_end(const bw_error *error, bellwether_types_common_error_t *out) {
    if (error != NULL) {
        world_string_t message = glue_text_out(error->message);
        switch (error->code) {
        case BW_INVALID_CONFIG:
            out->tag = BELLWETHER_TYPES_COMMON_ERROR_INVALID_CONFIG;
            out->val.invalid_config = message;
            break;
        case BW_INVALID_INPUT:
            out->tag = BELLWETHER_TYPES_COMMON_ERROR_INVALID_INPUT;
            out->val.invalid_input = message;
            break;
        case BW_UNSUPPORTED:
            out->tag = BELLWETHER_TYPES_COMMON_ERROR_UNSUPPORTED;
            out->val.unsupported = message;
            break;
        case BW_TRANSIENT:
            out->tag = BELLWETHER_TYPES_COMMON_ERROR_TRANSIENT;
            out->val.transient = message;
            break;
        case BW_INTERNAL:
            out->tag = BELLWETHER_TYPES_COMMON_ERROR_INTERNAL;
            out->val.internal = message;
            break;
        case BW_OTHER:
            out->tag = BELLWETHER_TYPES_COMMON_ERROR_OTHER;
            out->val.other.f0 = glue_text_out(error->name);
            out->val.other.f1 = message;
            break;
        }
    }
    bool ended_well = error == NULL;
    bw_free_all();
    return ended_well;
}

/* The plugin's account of itself. */
static void glue_describe(const bw_plugin *plugin, exports_bellwether_types_plugin_description_t *out) {
    size_t pairs = 0;
    while (plugin->extra != NULL && plugin->extra[2 * pairs] != NULL) {
        pairs++;
    }
    out->name = glue_text_out(bw_text_of(plugin->name));
    out->version = glue_text_out(bw_text_of(plugin->version));
    out->summary = glue_text_out(bw_text_of(plugin->summary));
    out->config_schema = glue_text_out(bw_text_of(bw_plugin_schema(plugin)));
    out->extra.len = pairs;
    out->extra.ptr = glue_memory(pairs, sizeof *out->extra.ptr);
    for (size_t place = 0; place < pairs; place++) {
        out->extra.ptr[place].f0 = glue_text_out(bw_text_of(plugin->extra[2 * place]));
        out->extra.ptr[place].f1 = glue_text_out(bw_text_of(plugin->extra[2 * place + 1]));
    }
    bw_free_all();
}
