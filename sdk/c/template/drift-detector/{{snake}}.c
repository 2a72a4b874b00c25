/* `{{name}}`: an EWMA control chart (Roberts 1959, Technometrics 1) that learns its centre.
 *
 * The first `warm_up` values give mean m and deviation s. From then on z = weight * x + (1 - weight) * z, and after t values z lies
 * within m ± limit * s * sqrt(weight / (2 - weight) * (1 - (1 - weight)^2t)) unless the mean has moved. After drift it learns anew.
 */
#include <math.h>

#include "bellwether/drift_detector.h"

#define TAG "{{name}}"
#define LAYOUT 1

typedef struct {
    double weight;
    double limit;
    double warning_limit;
    int64_t warm_up;
} settings;

typedef struct {
    /* Values since the start or the last drift, missing ones left out. */
    uint64_t count;
    /* Mean and sum of squared distances of the warm-up (Welford 1962). */
    double mean;
    double squares;
    double average;
    bool warned;
} chart;

static const bw_error *read_settings(const bw_json *config, settings *out) {
    BW_TRY(bw_config_number(config, "weight", &out->weight));
    BW_TRY(bw_config_number(config, "limit", &out->limit));
    BW_TRY(bw_config_number(config, "warning_limit", &out->warning_limit));
    BW_TRY(bw_config_whole(config, "warm_up", &out->warm_up));
    return NULL;
}

static const bw_error *check(const bw_json *config) {
    settings set;
    BW_TRY(read_settings(config, &set));
    if (set.warning_limit > set.limit) {
        return bw_invalid_config("`warning_limit` is %g and `limit` %g: a warning comes before drift, so make it smaller", set.warning_limit,
                                 set.limit);
    }
    return NULL;
}

static bw_bytes write_state(const chart *now) {
    bw_writer writer = bw_writer_new(TAG, LAYOUT);
    bw_write_u64(&writer, now->count);
    bw_write_number(&writer, now->mean);
    bw_write_number(&writer, now->squares);
    bw_write_number(&writer, now->average);
    bw_write_u64(&writer, now->warned);
    return bw_writer_bytes(&writer);
}

static const bw_error *read_state(bw_bytes state, chart *now) {
    bw_reader reader = bw_reader_open(state, TAG, LAYOUT);
    now->count = bw_read_u64(&reader);
    now->mean = bw_read_number(&reader);
    now->squares = bw_read_number(&reader);
    now->average = bw_read_number(&reader);
    now->warned = bw_read_u64(&reader) != 0;
    BW_TRY(bw_read_end(&reader));
    bool possible = isfinite(now->mean) && isfinite(now->average) && now->squares >= 0.0 && isfinite(now->squares);
    return possible ? NULL : bw_state_damaged(TAG, "its numbers cannot be those of a chart");
}

/* Takes a value and gives how far the average is out, in deviations of the average; 0 while warming up. */
static double take(chart *now, double value, const settings *set) {
    now->count++;
    if (now->count <= (uint64_t)set->warm_up) {
        double before = value - now->mean;
        now->mean += before / (double)now->count;
        now->squares += before * (value - now->mean);
        now->average = now->mean;
        return 0.0;
    }
    double deviation = sqrt(now->squares / (double)(set->warm_up - 1)), t = (double)(now->count - (uint64_t)set->warm_up);
    now->average = set->weight * value + (1.0 - set->weight) * now->average;
    double spread = deviation * sqrt(set->weight / (2.0 - set->weight) * (1.0 - pow(1.0 - set->weight, 2.0 * t)));
    double distance = fabs(now->average - now->mean);
    /* A constant warm-up has no deviation: any distance at all is out. */
    return distance == 0.0 ? 0.0 : fmin(distance / spread, 1e300);
}

static const bw_error *start(const bw_json *config, bw_bytes *state) {
    (void)config;
    *state = write_state(&(chart){0});
    return NULL;
}

static const bw_error *update(bw_bytes state, bw_numbers values, const bw_json *config, bw_advance *advance) {
    settings set;
    BW_TRY(read_settings(config, &set));
    chart now;
    BW_TRY(read_state(state, &now));
    for (size_t place = 0; place < values.count; place++) {
        if (isnan(values.data[place])) {
            /* Missing. */
            continue;
        }
        double statistic = take(&now, values.data[place], &set);
        if (!isfinite(now.mean) || !isfinite(now.squares) || !isfinite(now.average)) {
            return bw_invalid_input("value %zu is %g: values must be finite, and small enough to have a variance", place, values.data[place]);
        }
        bool out = statistic > set.limit, above = statistic > set.warning_limit;
        if (out || (above && !now.warned)) {
            bw_advance_add(advance, (bw_event){(uint32_t)place, out ? BW_EVENT_DRIFT : BW_EVENT_WARNING, statistic});
        }
        now.warned = above;
        if (out) {
            now = (chart){0};
        }
    }
    advance->state = write_state(&now);
    return NULL;
}

const bw_drift_detector bw_drift_detector_plugin = {
    .plugin =
        {
            .name = "{{name}}",
            .version = "0.1.0",
            .summary = "EWMA chart: drift when a weighted mean leaves its control limits.",
            .config_schema = BW_JSON({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "weight": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "maximum": 1,
                        "default": 0.1,
                        "description": "Weight of the newest value; small ones find small changes."
                    },
                    "limit": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "default": 5.0,
                        "description": "Deviations of the average past which there is drift."
                    },
                    "warning_limit": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "default": 3.0,
                        "description": "Deviations of the average past which there is a warning, at most `limit`."
                    },
                    "warm_up": {
                        "type": "integer",
                        "minimum": 2,
                        "maximum": 1000000,
                        "default": 100,
                        "description": "Values the centre and the deviation are learned from."
                    }
                }
            }),
            .check = check,
        },
    .start = start,
    .update = update,
};
