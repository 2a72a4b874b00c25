/* The detector against River on fixed streams, cut into calls, and on input it must refuse. */
#include <math.h>

#include "bellwether/drift_detector.h"
#include "bellwether/testing/testing.h"
#include "expected.h"

static const bw_drift_detector *const detector = &bw_drift_detector_plugin;

/* Feeds a stream in calls of `cut` values; events get their place in the stream. */
static bw_advance feed(const char *config_text, const double *values, size_t count, size_t cut) {
    const bw_json *config = bw_test_config(&detector->plugin, config_text);
    bw_advance all = {0};
    BW_EXPECT_OK(detector->start(config, &all.state));
    for (size_t offset = 0; offset < count; offset += cut) {
        size_t length = count - offset < cut ? count - offset : cut;
        bw_advance part = {0};
        BW_EXPECT_OK(detector->update(all.state, (bw_numbers){values + offset, length}, config, &part));
        for (size_t place = 0; place < bw_advance_count(&part); place++) {
            bw_event event = bw_advance_event(&part, place);
            event.index += (uint32_t)offset;
            bw_advance_add(&all, event);
        }
        all.state = part.state;
    }
    return all;
}

static void test_drift_is_where_river_finds_it(void) {
    for (size_t row = 0; row < sizeof expected / sizeof expected[0]; row++) {
        for (size_t cut = 1; cut < 5000; cut = cut * 7 + 3) {
            bw_advance found = feed(expected[row].config, expected[row].stream, expected[row].count, cut);
            if (!BW_EXPECT(bw_advance_count(&found) == expected[row].drifts)) {
                continue;
            }
            for (size_t place = 0; place < expected[row].drifts; place++) {
                bw_event event = bw_advance_event(&found, place);
                BW_EXPECT(event.index == expected[row].drift[place].index && event.severity == BW_EVENT_DRIFT);
                BW_EXPECT_CLOSE(event.statistic, expected[row].drift[place].statistic, 1e-9);
            }
            bw_test_reset();
        }
    }
}

static void test_warnings_come_once_and_before_drift(void) {
    /* The level at which a warning is due is the threshold at which River would have called drift. */
    const char *at_25 = "{\"threshold\": 25, \"delta\": 0.1, \"forgetting\": 1.0, \"direction\": \"down\"}";
    const char *warned = "{\"threshold\": 40, \"warning_threshold\": 25, \"delta\": 0.1, \"forgetting\": 1.0, \"direction\": \"down\"}";
    size_t count = sizeof levels / sizeof levels[0];
    bw_advance plain = feed(at_25, levels, count, count), both = feed(warned, levels, count, 17);
    if (!BW_EXPECT(bw_advance_count(&plain) >= 1 && bw_advance_count(&both) >= 2)) {
        return;
    }
    bw_event first = bw_advance_event(&both, 0), second = bw_advance_event(&both, 1);
    BW_EXPECT(first.severity == BW_EVENT_WARNING && first.index == bw_advance_event(&plain, 0).index);
    BW_EXPECT(second.severity == BW_EVENT_DRIFT && second.index > first.index);
    BW_EXPECT(first.statistic > 25.0 && first.statistic <= 40.0 && second.statistic > 40.0);
}

static void test_missing_values_do_not_count(void) {
    double gappy[2 * 600];
    for (size_t place = 0; place < 600; place++) {
        gappy[2 * place] = NAN;
        gappy[2 * place + 1] = levels[place];
    }
    bw_advance whole = feed("{}", levels, 600, 600), with_gaps = feed("{}", gappy, 1200, 1200);
    if (BW_EXPECT(bw_advance_count(&whole) == 1 && bw_advance_count(&with_gaps) == 1)) {
        BW_EXPECT(bw_advance_event(&with_gaps, 0).index == 2 * bw_advance_event(&whole, 0).index + 1);
    }
    BW_EXPECT(whole.state.count == with_gaps.state.count);
}

static void test_what_cannot_be_summed_is_refused(void) {
    const bw_json *config = bw_test_config(&detector->plugin, "{}");
    bw_bytes state;
    bw_advance advance = {0};
    BW_EXPECT_OK(detector->start(config, &state));
    BW_EXPECT_ERROR(detector->update(state, (bw_numbers){(double[]){1.0, INFINITY}, 2}, config, &advance), BW_INVALID_INPUT, "value 1 is inf");
    BW_EXPECT_ERROR(detector->update(state, (bw_numbers){(double[]){1e308, -1e308}, 2}, config, &advance), BW_INVALID_INPUT, "small enough");
    BW_EXPECT_OK(detector->update(state, (bw_numbers){NULL, 0}, config, &advance));
}

static void test_foreign_states_are_refused(void) {
    const bw_json *config = bw_test_config(&detector->plugin, "{}");
    bw_bytes state;
    bw_advance advance = {0};
    bw_numbers values = {levels, 10};
    BW_EXPECT_OK(detector->start(config, &state));
    for (size_t length = 0; length < state.count; length++) {
        BW_EXPECT_ERROR(detector->update((bw_bytes){state.data, length}, values, config, &advance), BW_INVALID_INPUT, "page-hinkley");
    }
    bw_writer writer = bw_writer_new("page-hinkley", 1);
    bw_write_u64(&writer, 3);
    for (int number = 0; number < 5; number++) {
        bw_write_number(&writer, number == 3 ? 9.0 : 0.0);
    }
    bw_write_u64(&writer, 0);
    BW_EXPECT_ERROR(detector->update(bw_writer_bytes(&writer), values, config, &advance), BW_INVALID_INPUT, "cannot be sums");
}

int main(void) {
    bw_test_schema(&detector->plugin, "{}");
    const bw_json *config;
    BW_EXPECT_ERROR(bw_test_try_config(&detector->plugin, "{\"threshold\": 5, \"warning_threshold\": 6}", &config), BW_INVALID_CONFIG,
                    "must come before drift");
    test_drift_is_where_river_finds_it();
    test_warnings_come_once_and_before_drift();
    test_missing_values_do_not_count();
    test_what_cannot_be_summed_is_refused();
    test_foreign_states_are_refused();
    return bw_test_result();
}
