/* The world `alert-handler` over a plugin's `bw_alert_handler_plugin`. */
#include "../bindings/alert-handler/world.h"

#include "glue.h"

#include "../alert_handler.h"
#include "http.h"

static const bw_alert_handler *const plugin = &bw_alert_handler_plugin;

int64_t bw_now_ms(void) {
    return bellwether_host_clock_now_ms();
}

bool bw_secret(const char *name, bw_text *value) {
    world_string_t asked = glue_lent(bw_text_of(name)), found;
    if (!bellwether_host_secrets_get(&asked, &found)) {
        return false;
    }
    *value = glue_text_in(&found);
    return true;
}

void exports_bellwether_types_plugin_describe(exports_bellwether_types_plugin_description_t *ret) {
    glue_describe(&plugin->plugin, ret);
}

/* A text of the alert, which is freed as a whole later. */
static bw_text text_of(world_string_t text) {
    return bw_text_copy((const char *)text.ptr, text.len);
}

static bw_alert alert_of(const exports_bellwether_alert_handler_alert_t *given) {
    bw_label *labels = bw_alloc_array(given->labels.len, sizeof *labels);
    for (size_t place = 0; place < given->labels.len; place++) {
        labels[place] = (bw_label){text_of(given->labels.ptr[place].f0), text_of(given->labels.ptr[place].f1)};
    }
    return (bw_alert){
        .idempotency_key = text_of(given->idempotency_key),
        .id = text_of(given->id),
        .condition = text_of(given->condition),
        /* Both stand in the order of the contract. */
        .severity = (bw_severity)given->severity,
        .phase = (bw_phase)given->phase,
        .summary = text_of(given->summary),
        .model_id = given->model_id.is_some ? text_of(given->model_id.val) : (bw_text){0},
        .symbol = given->symbol.is_some ? text_of(given->symbol.val) : (bw_text){0},
        .started_at_ms = given->started_at_ms,
        .labels = labels,
        .label_count = given->labels.len,
        .detail = text_of(given->detail),
    };
}

static const bw_error *handle(const exports_bellwether_alert_handler_alert_t *given, world_string_t *document) {
    const bw_json *config;
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    bw_alert alert = alert_of(given);
    return plugin->handle(&alert, config);
}

bool exports_bellwether_alert_handler_handle(exports_bellwether_alert_handler_alert_t *alert, world_string_t *config,
                                             bellwether_types_common_error_t *err) {
    const bw_error *error = handle(alert, config);
    exports_bellwether_alert_handler_alert_free(alert);
    return glue_end(error, err);
}
