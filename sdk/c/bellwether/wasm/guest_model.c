/* The world `guest-model`: a model that fits itself. */
#include "../bindings/guest-model/world.h"

#include "glue.h"

#include "bytes.h"
#include "planner.h"
#include "random.h"
#include "stats.h"
#include "windows.h"

static const bw_error *fit(const bw_windows *train, const bw_windows *validation, world_string_t *document, bw_bytes *state) {
    const bw_json *config;
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    return plugin->fit(train, validation, config, state);
}

bool exports_bellwether_model_estimator_fit(bellwether_host_data_borrow_windows_t train, bellwether_host_data_borrow_windows_t validation,
                                            world_string_t *config, world_list_u8_t *ret, bellwether_types_common_error_t *err) {
    bw_bytes state = {0};
    const bw_error *error = fit(glue_windows(train), glue_windows(validation), config, &state);
    if (error == NULL) {
        *ret = glue_bytes_out(state);
    }
    return glue_end(error, err);
}

static const bw_error *predict(bw_bytes state, const bw_windows *inputs, world_string_t *document, bw_numbers *predictions) {
    const bw_json *config;
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    return plugin->predict(state, inputs, config, predictions);
}

bool exports_bellwether_model_estimator_predict(world_list_u8_t *state, bellwether_host_data_borrow_windows_t inputs, world_string_t *config,
                                                world_list_f64_t *ret, bellwether_types_common_error_t *err) {
    bw_numbers predictions = {0};
    const bw_error *error = predict((bw_bytes){state->ptr, state->len}, glue_windows(inputs), config, &predictions);
    if (error == NULL) {
        *ret = glue_numbers_out(predictions);
    }
    world_list_u8_free(state);
    return glue_end(error, err);
}
