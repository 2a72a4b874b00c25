/* The world `drift-test` over a plugin's `bw_drift_test_plugin`. */
#include "../bindings/drift-test/world.h"

#include "glue.h"

#include "bytes.h"
#include "../drift_test.h"
#include "columns.h"
#include "random.h"
#include "stats.h"

static const bw_drift_test *const plugin = &bw_drift_test_plugin;

void exports_bellwether_types_plugin_describe(exports_bellwether_types_plugin_description_t *ret) {
    glue_describe(&plugin->plugin, ret);
}

void exports_bellwether_drift_test_accepts(exports_bellwether_drift_test_acceptance_t *ret) {
    bw_acceptance accepts = {.scope = BW_UNIVARIATE, .numeric = true, .least_rows = 30};
    if (plugin->accepts != NULL) {
        accepts = plugin->accepts();
    }
    ret->scope = accepts.scope == BW_UNIVARIATE ? EXPORTS_BELLWETHER_DRIFT_TEST_SCOPE_UNIVARIATE
                                                : EXPORTS_BELLWETHER_DRIFT_TEST_SCOPE_MULTIVARIATE;
    ret->kinds.ptr = glue_memory(2, sizeof *ret->kinds.ptr);
    ret->kinds.len = 0;
    if (accepts.numeric) {
        ret->kinds.ptr[ret->kinds.len++] = BELLWETHER_HOST_DATA_COLUMN_KIND_NUMERIC;
    }
    if (accepts.categorical) {
        ret->kinds.ptr[ret->kinds.len++] = BELLWETHER_HOST_DATA_COLUMN_KIND_CATEGORICAL;
    }
    ret->least_rows = accepts.least_rows;
    bw_free_all();
}

static const bw_error *baseline(const bw_frame *reference, world_string_t *document, bw_bytes *made) {
    const bw_json *config;
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    return plugin->baseline(reference, config, made);
}

bool exports_bellwether_drift_test_baseline(bellwether_host_data_borrow_frame_t reference, world_string_t *config, world_list_u8_t *ret,
                                            bellwether_types_common_error_t *err) {
    bw_frame *frame = glue_frame(reference);
    bw_bytes made = {0};
    const bw_error *error = baseline(frame, config, &made);
    if (error == NULL) {
        *ret = glue_bytes_out(made);
    }
    glue_frame_end(frame);
    return glue_end(error, err);
}

static const bw_error *test(bw_bytes kept, const bw_frame *current, world_string_t *document, bw_outcome *outcome) {
    const bw_json *config;
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    return plugin->test(kept, current, config, outcome);
}

bool exports_bellwether_drift_test_test(world_list_u8_t *kept, bellwether_host_data_borrow_frame_t current, world_string_t *config,
                                        exports_bellwether_drift_test_outcome_t *ret, bellwether_types_common_error_t *err) {
    bw_frame *frame = glue_frame(current);
    bw_outcome outcome = {0};
    const bw_error *error = test((bw_bytes){kept->ptr, kept->len}, frame, config, &outcome);
    if (error == NULL) {
        ret->statistic = outcome.statistic;
        ret->p_value.is_some = outcome.p_value.some;
        ret->p_value.val = outcome.p_value.value;
        ret->score = outcome.score;
        ret->threshold = outcome.threshold;
        ret->drifted = outcome.drifted;
        ret->reference_count = outcome.reference_count;
        ret->current_count = outcome.current_count;
        ret->detail = glue_text_out(outcome.detail.length == 0 ? bw_text_of("{}") : outcome.detail);
    }
    glue_frame_end(frame);
    world_list_u8_free(kept);
    return glue_end(error, err);
}
