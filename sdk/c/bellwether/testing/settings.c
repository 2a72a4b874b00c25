/* Configurations as the host makes them from a schema. */
#include "testing.h"

/* The schema's defaults with `given` laid over them. */
static bw_text filled(const bw_json *schema, const bw_json *given) {
    const bw_json *properties = bw_json_get(schema, "properties");
    bw_document document = {0};
    bw_put_object(&document, NULL);
    for (const bw_json *property = properties == NULL ? NULL : properties->first; property != NULL; property = property->next) {
        const bw_json *value = bw_json_get(property, "default");
        if (value != NULL && bw_json_get(given, property->name.data) == NULL) {
            bw_put_name(&document, property->name);
            bw_put_json(&document, NULL, value);
        }
    }
    for (const bw_json *setting = given->first; setting != NULL; setting = setting->next) {
        bw_put_name(&document, setting->name);
        bw_put_json(&document, NULL, setting);
    }
    return bw_document_text(&document);
}

const bw_error *bw_test_try_config(const bw_plugin *plugin, const char *given, const bw_json **config) {
    bw_text why = bw_text_of("");
    const bw_json *schema = bw_json_parse(bw_text_of(bw_plugin_schema(plugin)), &why);
    if (schema == NULL) {
        return bw_internal("the schema is not JSON: %s", why.data);
    }
    const bw_json *settings = bw_json_parse(bw_text_of(given), &why);
    if (settings == NULL || settings->kind != BW_JSON_OBJECT) {
        return bw_internal("`%s` is not a JSON object: %s", given, why.data);
    }
    return bw_plugin_config(plugin, filled(schema, settings), config);
}

const bw_json *bw_test_config(const bw_plugin *plugin, const char *given) {
    const bw_json *config = NULL;
    const bw_error *error = bw_test_try_config(plugin, given, &config);
    BW_EXPECT_OK(error);
    return error == NULL ? config : NULL;
}

void bw_test_schema(const bw_plugin *plugin, const char *required) {
    const bw_json *schema = bw_json_parse(bw_text_of(bw_plugin_schema(plugin)), NULL);
    if (!bw_test_expect(schema != NULL, __FILE__, __LINE__, "the schema of %s is not JSON", plugin->name)) {
        return;
    }
    const bw_json *type = bw_json_get(schema, "type"), *more = bw_json_get(schema, "additionalProperties");
    const bw_json *properties = bw_json_get(schema, "properties");
    bool object = type != NULL && type->kind == BW_JSON_TEXT && bw_text_is(type->text, "object");
    bool closed = more != NULL && more->kind == BW_JSON_BOOLEAN && !more->boolean;
    bw_test_expect(object, __FILE__, __LINE__, "the schema must describe an object");
    bw_test_expect(closed, __FILE__, __LINE__, "the schema must refuse unknown properties");
    for (const bw_json *property = properties == NULL ? NULL : properties->first; property != NULL; property = property->next) {
        bool described = bw_json_get(property, "description") != NULL;
        bw_test_expect(described, __FILE__, __LINE__, "the property `%s` has no description", property->name.data);
    }
    bw_test_config(plugin, required);
}
