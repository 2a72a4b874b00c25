/* What every plugin says of itself. */
#ifndef BELLWETHER_PLUGIN_H
#define BELLWETHER_PLUGIN_H

#include "error.h"
#include "host.h"
#include "json.h"
#include "state.h"

typedef struct {
    /* The name it is called by; equals `name` in plugin.toml. Lower-case letters, digits and `-`. */
    const char *name;
    /* Semantic version; equals `version` in plugin.toml. */
    const char *version;
    /* One sentence for lists. */
    const char *summary;
    /* JSON Schema (2020-12) of the configuration: an object with `additionalProperties: false`, a `default` and a
     * `description` for each property. NULL for a plugin without settings. The host fills in the defaults and refuses what
     * the schema refuses before the plugin sees it. BW_JSON({...}) writes it without escapes. */
    const char *config_schema;
    /* Refuses configurations that pass the schema and are still wrong, with BW_INVALID_CONFIG. Called before every function
     * that takes a configuration; NULL for none. */
    const bw_error *(*check)(const bw_json *config);
    /* Pairs a newer host may understand: name, value, name, value, NULL. NULL for none. */
    const char *const *extra;
} bw_plugin;

/* The schema of a plugin, also of one without settings. */
const char *bw_plugin_schema(const bw_plugin *plugin);

/* Reads a configuration and has the plugin check it. The layer below a plugin calls it. */
const bw_error *bw_plugin_config(const bw_plugin *plugin, bw_text document, const bw_json **config);

#endif
