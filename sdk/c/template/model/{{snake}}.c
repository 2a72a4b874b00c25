/* `{{name}}`: ridge regression (Hoerl and Kennard 1970) on the last time step of a window.
 *
 * With columns centred, (X'X + penalty * n * I) w = X'y is solved by Cholesky's decomposition. Only sums over samples are kept, so
 * memory grows with the square of the features and not with the samples. The validation part is not needed: nothing is chosen by it.
 */
#include <math.h>

#include "bellwether/model.h"

#define TAG "{{name}}"
#define LAYOUT 1

/* Most features: the squares of so many take 8 MB. */
#define MOST_FEATURES 1000

/* Samples read at a time. */
#define CHUNK 1024

static const bw_error *requires(const bw_json *config, bw_requirements *requirements) {
    (void)config;
    *requirements = (bw_requirements){.features = bw_stationary_features(), .sequence_length = 1, .least_rows = 100};
    return NULL;
}

static const bw_error *plan(const bw_json *config, const bw_input_shape *input, const bw_target *target, bw_training_plan *plan) {
    (void)config;
    if (target->task == BW_BINARY) {
        return bw_unsupported("this model predicts real numbers; the target `%s` asks for a probability", target->kind.data);
    }
    if (input->features.count == 0 || input->features.count > MOST_FEATURES) {
        return bw_invalid_input("%zu features; 1 to %d are possible", input->features.count, MOST_FEATURES);
    }
    *plan = bw_plan_guest(true, true);
    return NULL;
}

static bw_search_space search_space(void) {
    static bw_hyper_parameter parameters[1];
    parameters[0] = bw_tune_real_log("penalty", 1e-6, 10.0);
    return (bw_search_space){parameters, 1};
}

/* Sums over samples: `moments` are the means of features and target, `products` the sums of products of what is left of them,
 * a square of features + 1. */
typedef struct {
    size_t width;
    double *means;
    double *products;
    double samples;
} sums;

static sums sums_new(size_t features) {
    size_t width = features + 1;
    return (sums){width, bw_alloc_numbers(width), bw_alloc_array(width, width * sizeof(double)), 0.0};
}

/* Takes one sample with its target behind it: Welford's way, exact where a sum of squares would cancel. */
static void take(sums *all, const double *row, double *distance) {
    all->samples += 1.0;
    for (size_t column = 0; column < all->width; column++) {
        distance[column] = row[column] - all->means[column];
        all->means[column] += distance[column] / all->samples;
    }
    double shrink = (all->samples - 1.0) / all->samples;
    for (size_t column = 0; column < all->width; column++) {
        double scaled = distance[column] * shrink;
        for (size_t other = 0; other <= column; other++) {
            all->products[column * all->width + other] += scaled * distance[other];
        }
    }
}

static const bw_error *gather(const bw_windows *train, bw_numbers targets, sums *all) {
    size_t features = all->width - 1;
    double *rows = bw_alloc_numbers(CHUNK * features), *row = bw_alloc_numbers(all->width), *distance = bw_alloc_numbers(all->width);
    for (size_t first = 0; first < targets.count; first += CHUNK) {
        size_t count = bw_windows_read_last(train, first, CHUNK, rows);
        for (size_t sample = 0; sample < count; sample++) {
            for (size_t feature = 0; feature < features; feature++) {
                row[feature] = rows[sample * features + feature];
                if (!isfinite(row[feature])) {
                    return bw_invalid_input("feature %zu of sample %zu is %g: it must be finite", feature, first + sample, row[feature]);
                }
            }
            row[features] = targets.data[first + sample];
            take(all, row, distance);
        }
    }
    return NULL;
}

/* Solves for the coefficients in place of the products: a Cholesky factor, then two substitutions. */
static const bw_error *solve(sums *all, double penalty, double *coefficients) {
    size_t width = all->width, features = width - 1;
    double *a = all->products, *right = a + features * width;
    for (size_t column = 0; column < features; column++) {
        double scale = a[column * width + column] + penalty * all->samples, pivot = scale;
        for (size_t k = 0; k < column; k++) {
            pivot -= a[column * width + k] * a[column * width + k];
        }
        if (!(pivot > 1e-12 * scale) || !isfinite(pivot)) {
            return bw_invalid_input("feature %zu is constant, depends on others, or is too large: leave it out or raise `penalty`", column);
        }
        a[column * width + column] = sqrt(pivot);
        for (size_t below = column + 1; below < features; below++) {
            double sum = a[below * width + column];
            for (size_t k = 0; k < column; k++) {
                sum -= a[below * width + k] * a[column * width + k];
            }
            a[below * width + column] = sum / a[column * width + column];
        }
    }
    for (size_t column = 0; column < features; column++) {
        double sum = right[column];
        for (size_t k = 0; k < column; k++) {
            sum -= a[column * width + k] * coefficients[k];
        }
        coefficients[column] = sum / a[column * width + column];
    }
    for (size_t column = features; column-- > 0;) {
        double sum = coefficients[column];
        for (size_t k = column + 1; k < features; k++) {
            sum -= a[k * width + column] * coefficients[k];
        }
        coefficients[column] = sum / a[column * width + column];
        if (!isfinite(coefficients[column])) {
            return bw_invalid_input("the coefficient of feature %zu is not finite: the values are too large", column);
        }
    }
    return NULL;
}

static const bw_error *fit(const bw_windows *train, const bw_windows *validation, const bw_json *config, bw_bytes *state) {
    (void)validation;
    double penalty;
    BW_TRY(bw_config_number(config, "penalty", &penalty));
    bw_texts features = bw_windows_features(train);
    bw_numbers targets;
    BW_TRY(bw_windows_checked_targets(train, "training", &targets));
    if (targets.count < 2 || features.count == 0 || features.count > MOST_FEATURES) {
        return bw_invalid_input("%zu samples of %zu features: at least 2 samples and 1 to %d features are needed", targets.count, features.count,
                                MOST_FEATURES);
    }
    sums all = sums_new(features.count);
    BW_TRY(gather(train, targets, &all));
    double *coefficients = bw_alloc_numbers(features.count);
    BW_TRY(solve(&all, penalty, coefficients));
    double intercept = all.means[features.count];
    for (size_t feature = 0; feature < features.count; feature++) {
        intercept -= coefficients[feature] * all.means[feature];
    }
    if (!isfinite(intercept)) {
        return bw_invalid_input("the intercept is not finite: the values are too large");
    }
    bw_writer writer = bw_writer_new(TAG, LAYOUT);
    bw_write_texts(&writer, features);
    bw_write_number(&writer, intercept);
    bw_write_numbers(&writer, (bw_numbers){coefficients, features.count});
    *state = bw_writer_bytes(&writer);
    return NULL;
}

static const bw_error *predict(bw_bytes state, const bw_windows *inputs, const bw_json *config, bw_numbers *predictions) {
    (void)config;
    bw_reader reader = bw_reader_open(state, TAG, LAYOUT);
    bw_texts learned = bw_read_texts(&reader);
    double intercept = bw_read_number(&reader);
    bw_numbers coefficients = bw_read_numbers(&reader);
    BW_TRY(bw_read_end(&reader));
    if (coefficients.count != learned.count) {
        return bw_state_damaged(TAG, "it has not one coefficient per feature");
    }
    bw_texts given = bw_windows_features(inputs);
    if (!bw_texts_equal(learned, given)) {
        return bw_invalid_input("it learned from [%s] and is given [%s]", bw_text_join(learned, ", ").data, bw_text_join(given, ", ").data);
    }
    size_t samples = (size_t)bw_windows_samples(inputs), width = given.count;
    double *rows = bw_alloc_numbers(CHUNK * width), *out = bw_alloc_numbers(samples);
    for (size_t first = 0; first < samples; first += CHUNK) {
        size_t count = bw_windows_read_last(inputs, first, CHUNK, rows);
        for (size_t sample = 0; sample < count; sample++) {
            double sum = intercept;
            for (size_t feature = 0; feature < width; feature++) {
                sum += coefficients.data[feature] * rows[sample * width + feature];
            }
            if (!isfinite(sum)) {
                return bw_invalid_input("the features of sample %zu are not finite, or too large to predict from", first + sample);
            }
            out[first + sample] = sum;
        }
    }
    *predictions = (bw_numbers){out, samples};
    return NULL;
}

const bw_model bw_model_plugin = {
    .plugin =
        {
            .name = "{{name}}",
            .version = "0.1.0",
            .summary = "Ridge regression on the last time step of a window.",
            .config_schema = BW_JSON({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "penalty": {
                        "type": "number",
                        "minimum": 0,
                        "maximum": 1000000,
                        "default": 0.001,
                        "description": "Weight of the sum of squared coefficients against the mean squared error; 0 for none."
                    }
                }
            }),
        },
    .requires = requires,
    .plan = plan,
    .search_space = search_space,
    .fit = fit,
    .predict = predict,
};
