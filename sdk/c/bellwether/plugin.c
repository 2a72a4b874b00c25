/* How a configuration reaches a plugin. */
#include "plugin.h"

const char *bw_plugin_schema(const bw_plugin *plugin) {
    if (plugin->config_schema != NULL) {
        return plugin->config_schema;
    }
    return BW_JSON({"type": "object", "properties": {}, "additionalProperties": false});
}

const bw_error *bw_plugin_config(const bw_plugin *plugin, bw_text document, const bw_json **config) {
    bw_text why;
    *config = bw_json_parse(document, &why);
    if (*config == NULL) {
        return bw_invalid_config("the configuration is not JSON: %s", why.data);
    }
    if ((*config)->kind != BW_JSON_OBJECT) {
        return bw_invalid_config("the configuration must be an object");
    }
    return plugin->check == NULL ? NULL : plugin->check(*config);
}
