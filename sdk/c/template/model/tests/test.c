/* The regression against a line that is known, against its own equations, and on input it must refuse. */
#include <math.h>

#include "bellwether/model.h"
#include "bellwether/testing/testing.h"

static const bw_model *const plugin = &bw_model_plugin;

#define SAMPLES 3000

static double rows[SAMPLES * 2], targets[SAMPLES];

/* target = 1 + 2 a - 3 b + noise. */
static const bw_windows *windows(double noise) {
    double wobble[SAMPLES];
    bw_test_seed(3);
    bw_random_normal(rows, SAMPLES * 2);
    bw_random_normal(wobble, SAMPLES);
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        targets[sample] = 1.0 + 2.0 * rows[2 * sample] - 3.0 * rows[2 * sample + 1] + noise * wobble[sample];
    }
    return bw_test_windows(BW_TEXTS("a", "b"), 1, SAMPLES, rows, targets);
}

static const bw_error *fit_and_predict(const bw_windows *train, const char *config_text, const bw_windows *inputs, bw_numbers *out) {
    const bw_json *config = bw_test_config(&plugin->plugin, config_text);
    bw_bytes state;
    BW_TRY(plugin->fit(train, train, config, &state));
    return plugin->predict(state, inputs, config, out);
}

static const double three[] = {0, 0, 1, 0, 0, 1};

static void test_a_line_is_found(void) {
    bw_numbers out;
    const bw_windows *inputs = bw_test_windows(BW_TEXTS("a", "b"), 1, 3, three, NULL);
    BW_EXPECT_OK(fit_and_predict(windows(0.0), "{\"penalty\": 0}", inputs, &out));
    BW_EXPECT(out.count == 3);
    BW_EXPECT_CLOSE(out.data[0], 1.0, 1e-12);
    BW_EXPECT_CLOSE(out.data[1], 3.0, 1e-12);
    BW_EXPECT_CLOSE(out.data[2], -2.0, 1e-12);
}

/* At the minimum of ridge the residuals satisfy sum (x - mean x) * residual = penalty * n * w for every feature. */
static void test_ridge_is_at_its_minimum(void) {
    bw_numbers out, fitted;
    const bw_windows *train = windows(0.5), *inputs = bw_test_windows(BW_TEXTS("a", "b"), 1, 3, three, NULL);
    BW_EXPECT_OK(fit_and_predict(train, "{\"penalty\": 0.1}", inputs, &out));
    BW_EXPECT_OK(fit_and_predict(train, "{\"penalty\": 0.1}", train, &fitted));
    for (size_t feature = 0; feature < 2; feature++) {
        double coefficient = out.data[feature + 1] - out.data[0], mean = 0.0, slope = 0.0, sum = 0.0;
        for (size_t sample = 0; sample < SAMPLES; sample++) {
            mean += rows[2 * sample + feature] / SAMPLES;
        }
        for (size_t sample = 0; sample < SAMPLES; sample++) {
            double residual = targets[sample] - fitted.data[sample];
            slope += (rows[2 * sample + feature] - mean) * residual;
            sum += residual;
        }
        BW_EXPECT_CLOSE(slope / SAMPLES, 0.1 * coefficient, 1e-9);
        BW_EXPECT_CLOSE(sum / SAMPLES, 0.0, 1e-9);
    }
}

static void test_what_cannot_be_learned_is_refused(void) {
    bw_numbers out;
    double constant[20] = {0}, wanted[10] = {0}, missing[10] = {NAN};
    const bw_windows *flat = bw_test_windows(BW_TEXTS("a", "b"), 1, 10, constant, wanted);
    const bw_windows *holes = bw_test_windows(BW_TEXTS("a"), 1, 10, missing, wanted), *good = windows(0.1);
    BW_EXPECT_ERROR(fit_and_predict(flat, "{\"penalty\": 0}", flat, &out), BW_INVALID_INPUT, "is constant");
    BW_EXPECT_ERROR(fit_and_predict(holes, "{}", holes, &out), BW_INVALID_INPUT, "must be finite");
    BW_EXPECT_ERROR(fit_and_predict(good, "{}", holes, &out), BW_INVALID_INPUT, "learned from [a, b] and is given [a]");
    const bw_json *config = bw_test_config(&plugin->plugin, "{}");
    BW_EXPECT_ERROR(plugin->predict((bw_bytes){(const uint8_t *)"foreign", 7}, good, config, &out), BW_INVALID_INPUT, "not a");
}

static void test_the_plan_is_for_real_numbers(void) {
    const bw_json *config = bw_test_config(&plugin->plugin, "{}");
    bw_requirements needs;
    bw_training_plan plan;
    BW_EXPECT_OK(plugin->requires(config, &needs));
    bw_input_shape input = {needs.sequence_length, needs.features};
    bw_target target = {bw_text_of("return"), 1, BW_REGRESSION}, direction = {bw_text_of("direction"), 1, BW_BINARY};
    BW_EXPECT_OK(plugin->plan(config, &input, &target, &plan));
    BW_EXPECT(plan.kind == BW_PLAN_GUEST && plan.scaled && plan.last_step_only);
    BW_EXPECT_ERROR(plugin->plan(config, &input, &direction, &plan), BW_UNSUPPORTED, "probability");
}

int main(void) {
    bw_test_schema(&plugin->plugin, "{}");
    test_a_line_is_found();
    test_ridge_is_at_its_minimum();
    test_what_cannot_be_learned_is_refused();
    test_the_plan_is_for_real_numbers();
    return bw_test_result();
}
