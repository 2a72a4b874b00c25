/* The test on small columns whose quartiles are seen at a glance. */
#include <math.h>

#include "bellwether/drift_test.h"
#include "bellwether/testing/testing.h"

static const bw_drift_test *const plugin = &bw_drift_test_plugin;
static const double reference[] = {1, 2, 3, 4, 5};

static const bw_error *run(const double *current, size_t count, const char *config_text, bw_outcome *outcome) {
    const bw_json *config = bw_test_config(&plugin->plugin, config_text);
    bw_bytes baseline;
    BW_TRY(plugin->baseline(bw_test_frame_of(reference, 5), config, &baseline));
    return plugin->test(baseline, bw_test_frame_of(current, count), config, outcome);
}

static void test_the_line_is_the_middle_half(void) {
    bw_outcome outcome;
    BW_EXPECT_OK(run((double[]){3, 4, 5}, 3, "{}", &outcome));
    BW_EXPECT_CLOSE(outcome.statistic, 1.0, 0.0);
    BW_EXPECT_CLOSE(outcome.threshold, 1.0, 0.0);
    BW_EXPECT(!outcome.drifted && outcome.reference_count == 5 && outcome.current_count == 3);
    BW_EXPECT_TEXT(outcome.detail, "{\"median\":4,\"reference_quartiles\":[2,3,4]}");
    BW_EXPECT_OK(run((double[]){4, 5, NAN, 6}, 4, "{}", &outcome));
    BW_EXPECT(outcome.drifted && outcome.current_count == 3);
    BW_EXPECT_OK(run((double[]){4, 5, 6}, 3, "{\"widen\": 2}", &outcome));
    BW_EXPECT(!outcome.drifted);
}

static void test_what_has_no_median_is_refused(void) {
    bw_outcome outcome;
    const bw_json *config = bw_test_config(&plugin->plugin, "{}");
    bw_bytes baseline;
    BW_EXPECT_ERROR(run((double[]){NAN}, 1, "{}", &outcome), BW_INVALID_INPUT, "no finite distance");
    BW_EXPECT_ERROR(run((double[]){INFINITY}, 1, "{}", &outcome), BW_INVALID_INPUT, "no finite distance");
    BW_EXPECT_ERROR(plugin->baseline(bw_test_frame_of(NULL, 0), config, &baseline), BW_INVALID_INPUT, "no finite quartiles");
}

static void test_foreign_baselines_are_refused(void) {
    bw_outcome outcome;
    const bw_json *config = bw_test_config(&plugin->plugin, "{}");
    const bw_frame *current = bw_test_frame_of(reference, 5);
    BW_EXPECT_ERROR(plugin->test((bw_bytes){(const uint8_t *)"foreign", 7}, current, config, &outcome), BW_INVALID_INPUT, "not a");
    bw_writer writer = bw_writer_new("{{name}}", 1);
    bw_write_u64(&writer, 5);
    bw_write_numbers(&writer, (bw_numbers){reference, 2});
    BW_EXPECT_ERROR(plugin->test(bw_writer_bytes(&writer), current, config, &outcome), BW_INVALID_INPUT, "three quartiles");
}

int main(void) {
    bw_test_schema(&plugin->plugin, "{}");
    test_the_line_is_the_middle_half();
    test_what_has_no_median_is_refused();
    test_foreign_baselines_are_refused();
    return bw_test_result();
}
