/* `{{name}}`: drift when the median of a column leaves the middle half of the reference.
 *
 * The baseline keeps three quartiles. The host computes quantiles and counts, so a column of a million rows costs no more than
 * one of ten.
 */
#include <math.h>

#include "bellwether/drift_test.h"

#define TAG "{{name}}"
#define LAYOUT 1

static const bw_error *baseline(const bw_frame *reference, const bw_json *config, bw_bytes *baseline) {
    (void)config;
    const bw_column *column;
    BW_TRY(bw_frame_only_column(reference, &column));
    bw_numbers quartiles = bw_column_quantiles(column, (bw_numbers){(double[]){0.25, 0.5, 0.75}, 3});
    for (size_t place = 0; place < quartiles.count; place++) {
        if (!isfinite(quartiles.data[place])) {
            return bw_invalid_input("the reference has no finite quartiles: it is empty or holds infinite values");
        }
    }
    bw_writer writer = bw_writer_new(TAG, LAYOUT);
    bw_write_u64(&writer, bw_column_moments(column).count);
    bw_write_numbers(&writer, quartiles);
    *baseline = bw_writer_bytes(&writer);
    return NULL;
}

static const bw_error *test(bw_bytes baseline, const bw_frame *current, const bw_json *config, bw_outcome *outcome) {
    double widen;
    BW_TRY(bw_config_number(config, "widen", &widen));
    bw_reader reader = bw_reader_open(baseline, TAG, LAYOUT);
    uint64_t reference_count = bw_read_u64(&reader);
    bw_numbers quartiles = bw_read_numbers(&reader);
    BW_TRY(bw_read_end(&reader));
    if (quartiles.count != 3) {
        return bw_state_damaged(TAG, "it has not three quartiles");
    }
    const bw_column *column;
    BW_TRY(bw_frame_only_column(current, &column));
    double median = bw_column_quantiles(column, (bw_numbers){(double[]){0.5}, 1}).data[0];
    double distance = fabs(median - quartiles.data[1]), threshold = widen * (quartiles.data[2] - quartiles.data[0]) / 2.0;
    if (!isfinite(distance) || !isfinite(threshold)) {
        return bw_invalid_input("there is no finite distance between the medians: a column is empty, or its values are too large");
    }

    bw_document detail = {0};
    bw_put_object(&detail, NULL);
    bw_put_number(&detail, "median", median);
    bw_put_numbers(&detail, "reference_quartiles", quartiles);
    *outcome = (bw_outcome){
        .statistic = distance,
        .score = distance,
        .threshold = threshold,
        .drifted = distance > threshold,
        .reference_count = reference_count,
        .current_count = bw_column_moments(column).count,
        .detail = bw_document_text(&detail),
    };
    return NULL;
}

const bw_drift_test bw_drift_test_plugin = {
    .plugin =
        {
            .name = "{{name}}",
            .version = "0.1.0",
            .summary = "Drift when the median leaves the reference's middle half.",
            .config_schema = BW_JSON({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "widen": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "default": 1.0,
                        "description": "Half-widths of the middle half that the median may move."
                    }
                }
            }),
        },
    /* Without `accepts`: one numeric column at a time, at least 30 values on either side. */
    .baseline = baseline,
    .test = test,
};
