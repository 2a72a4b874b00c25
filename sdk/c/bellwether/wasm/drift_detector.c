/* The world `drift-detector` over a plugin's `bw_drift_detector_plugin`. */
#include "../bindings/drift-detector/world.h"

#include "glue.h"

#include "bytes.h"
#include "../drift_detector.h"
#include "stats.h"

static const bw_drift_detector *const plugin = &bw_drift_detector_plugin;

void exports_bellwether_types_plugin_describe(exports_bellwether_types_plugin_description_t *ret) {
    glue_describe(&plugin->plugin, ret);
}

static const bw_error *start(world_string_t *document, bw_bytes *state) {
    const bw_json *config;
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    return plugin->start(config, state);
}

bool exports_bellwether_drift_detector_start(world_string_t *config, world_list_u8_t *ret, bellwether_types_common_error_t *err) {
    bw_bytes state = {0};
    const bw_error *error = start(config, &state);
    if (error == NULL) {
        *ret = glue_bytes_out(state);
    }
    return glue_end(error, err);
}

static const bw_error *update(bw_bytes state, bw_numbers values, world_string_t *document, bw_advance *advance) {
    const bw_json *config;
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    return plugin->update(state, values, config, advance);
}

bool exports_bellwether_drift_detector_update(world_list_u8_t *state, world_list_f64_t *values, world_string_t *config,
                                              exports_bellwether_drift_detector_advance_t *ret, bellwether_types_common_error_t *err) {
    bw_advance advance = {0};
    const bw_error *error = update((bw_bytes){state->ptr, state->len}, (bw_numbers){values->ptr, values->len}, config, &advance);
    if (error == NULL) {
        ret->state = glue_bytes_out(advance.state);
        ret->events.len = bw_advance_count(&advance);
        ret->events.ptr = glue_memory(ret->events.len, sizeof *ret->events.ptr);
        for (size_t place = 0; place < ret->events.len; place++) {
            bw_event event = bw_advance_event(&advance, place);
            ret->events.ptr[place].index = event.index;
            ret->events.ptr[place].severity = event.severity == BW_EVENT_WARNING ? EXPORTS_BELLWETHER_DRIFT_DETECTOR_SEVERITY_WARNING
                                                                                 : EXPORTS_BELLWETHER_DRIFT_DETECTOR_SEVERITY_DRIFT;
            ret->events.ptr[place].statistic = event.statistic;
        }
    }
    world_list_u8_free(state);
    world_list_f64_free(values);
    return glue_end(error, err);
}
