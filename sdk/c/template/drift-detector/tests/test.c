/* The chart on a stream that moves once, whole and cut, and on input it must refuse. */
#include <math.h>

#include "bellwether/drift_detector.h"
#include "bellwether/testing/testing.h"

static const bw_drift_detector *const plugin = &bw_drift_detector_plugin;

#define COUNT 400

/* Normal values whose mean moves by three deviations at 300. */
static void stream(double *values) {
    bw_test_seed(1);
    bw_random_normal(values, COUNT);
    for (size_t place = 300; place < COUNT; place++) {
        values[place] += 3.0;
    }
}

static bw_advance feed(const double *values, size_t count, size_t cut) {
    const bw_json *config = bw_test_config(&plugin->plugin, "{}");
    bw_advance all = {0};
    BW_EXPECT_OK(plugin->start(config, &all.state));
    for (size_t offset = 0; offset < count; offset += cut) {
        bw_advance part = {0};
        size_t length = count - offset < cut ? count - offset : cut;
        BW_EXPECT_OK(plugin->update(all.state, (bw_numbers){values + offset, length}, config, &part));
        for (size_t place = 0; place < bw_advance_count(&part); place++) {
            bw_event event = bw_advance_event(&part, place);
            event.index += (uint32_t)offset;
            bw_advance_add(&all, event);
        }
        all.state = part.state;
    }
    return all;
}

static void test_a_move_is_found_soon_and_once(void) {
    double values[COUNT];
    stream(values);
    bw_advance found = feed(values, COUNT, COUNT);
    size_t drifts = 0;
    for (size_t place = 0; place < bw_advance_count(&found); place++) {
        bw_event event = bw_advance_event(&found, place);
        if (event.severity == BW_EVENT_DRIFT) {
            drifts++;
            BW_EXPECT(event.index >= 300 && event.index < 310 && event.statistic > 5.0);
        }
    }
    BW_EXPECT(drifts == 1);
}

static void test_cuts_change_nothing(void) {
    double values[COUNT];
    stream(values);
    bw_advance whole = feed(values, COUNT, COUNT);
    for (size_t cut = 1; cut < COUNT; cut = 2 * cut + 1) {
        bw_advance parts = feed(values, COUNT, cut);
        BW_EXPECT(bw_advance_count(&parts) == bw_advance_count(&whole));
        for (size_t place = 0; place < bw_advance_count(&whole) && place < bw_advance_count(&parts); place++) {
            bw_event one = bw_advance_event(&whole, place), other = bw_advance_event(&parts, place);
            BW_EXPECT(one.index == other.index && one.severity == other.severity && one.statistic == other.statistic);
        }
    }
}

static void test_bad_input_is_refused(void) {
    const bw_json *config = bw_test_config(&plugin->plugin, "{}");
    bw_bytes state;
    bw_advance advance = {0};
    BW_EXPECT_OK(plugin->start(config, &state));
    BW_EXPECT_OK(plugin->update(state, (bw_numbers){(double[]){NAN, 1.0, 1.0}, 3}, config, &advance));
    BW_EXPECT_ERROR(plugin->update(state, (bw_numbers){(double[]){INFINITY}, 1}, config, &advance), BW_INVALID_INPUT, "must be finite");
    BW_EXPECT_ERROR(plugin->update((bw_bytes){(const uint8_t *)"foreign", 7}, (bw_numbers){0}, config, &advance), BW_INVALID_INPUT, "not a");
}

int main(void) {
    bw_test_schema(&plugin->plugin, "{}");
    const bw_json *config;
    BW_EXPECT_ERROR(bw_test_try_config(&plugin->plugin, "{\"warning_limit\": 9}", &config), BW_INVALID_CONFIG, "make it smaller");
    test_a_move_is_found_soon_and_once();
    test_cuts_change_nothing();
    test_bad_input_is_refused();
    return bw_test_result();
}
