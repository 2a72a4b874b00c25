/* `page-hinkley`: a drift detector that sums how far values lie from their running mean.
 *
 * Page (1954), Continuous Inspection Schemes, Biometrika 41; the form with a mean learned on the way is that of Hinkley (1971)
 * and Mouss et al. (2004), Test of Page-Hinkley, an approach for fault detection. With the mean m_n of the n values since the
 * last drift, and forgetting factor a,
 *
 *     up_n   = a * up_{n-1}   + (x_n - m_n) - delta,    statistic up_n - min(up)      for a rise,
 *     down_n = a * down_{n-1} + (x_n - m_n) + delta,    statistic max(down) - down_n  for a fall.
 *
 * A statistic past `threshold`, once n >= `min_instances`, is drift, and the detector begins anew with the next value. Arithmetic
 * and restarts are those of river.drift.PageHinkley (River 0.26.1), so both report the same places. River has no warnings: here one
 * is given when the statistic first passes `warning_threshold`, and another only after it has come back below.
 *
 * All the detector knows is its state, so a stream may be cut anywhere into calls.
 */
#include <math.h>

#include "bellwether/drift_detector.h"

#define TAG "page-hinkley"
#define LAYOUT 1

static const char *const directions[] = {"up", "down", "both", NULL};
enum direction { UP, DOWN, BOTH };

typedef struct {
    double threshold;
    double warning_threshold;
    double delta;
    double forgetting;
    int64_t min_instances;
    int direction;
} settings;

/* The values since the last drift. */
typedef struct {
    uint64_t count;
    double mean;
    double up;
    double down;
    double lowest;
    double highest;
    /* The statistic is past the warning level, and that was said. */
    bool warned;
} sums;

static const bw_error *read_settings(const bw_json *config, settings *out) {
    BW_TRY(bw_config_number(config, "threshold", &out->threshold));
    BW_TRY(bw_config_number(config, "warning_threshold", &out->warning_threshold));
    BW_TRY(bw_config_number(config, "delta", &out->delta));
    BW_TRY(bw_config_number(config, "forgetting", &out->forgetting));
    BW_TRY(bw_config_whole(config, "min_instances", &out->min_instances));
    BW_TRY(bw_config_choice(config, "direction", directions, &out->direction));
    return NULL;
}

static const bw_error *check(const bw_json *config) {
    settings set;
    BW_TRY(read_settings(config, &set));
    if (set.warning_threshold >= set.threshold) {
        return bw_invalid_config("`warning_threshold` is %g and `threshold` %g: a warning must come before drift, so make it smaller, or 0",
                                 set.warning_threshold, set.threshold);
    }
    return NULL;
}

static sums fresh(void) {
    return (sums){.lowest = INFINITY, .highest = -INFINITY};
}

static bw_bytes write_state(const sums *now) {
    bw_writer writer = bw_writer_new(TAG, LAYOUT);
    bw_write_u64(&writer, now->count);
    bw_write_number(&writer, now->mean);
    bw_write_number(&writer, now->up);
    bw_write_number(&writer, now->down);
    bw_write_number(&writer, now->lowest);
    bw_write_number(&writer, now->highest);
    bw_write_u64(&writer, now->warned);
    return bw_writer_bytes(&writer);
}

static const bw_error *read_state(bw_bytes state, sums *now) {
    bw_reader reader = bw_reader_open(state, TAG, LAYOUT);
    now->count = bw_read_u64(&reader);
    now->mean = bw_read_number(&reader);
    now->up = bw_read_number(&reader);
    now->down = bw_read_number(&reader);
    now->lowest = bw_read_number(&reader);
    now->highest = bw_read_number(&reader);
    uint64_t warned = bw_read_u64(&reader);
    BW_TRY(bw_read_end(&reader));
    now->warned = warned == 1;
    bool finite = isfinite(now->mean) && isfinite(now->up) && isfinite(now->down);
    bool ordered = now->count == 0 || (now->lowest <= now->up && now->highest >= now->down);
    bool bounded = now->count == 0 || (isfinite(now->lowest) && isfinite(now->highest));
    return finite && ordered && bounded && warned <= 1 ? NULL : bw_state_damaged(TAG, "its numbers cannot be sums of values");
}

/* Takes one value and gives the statistic. */
static double take(sums *now, double value, const settings *set) {
    now->count++;
    /* A share times a distance, as River has it: another order of the same terms would round otherwise. */
    now->mean += 1.0 / (double)now->count * (value - now->mean);
    double deviation = value - now->mean;
    now->up = set->forgetting * now->up + deviation - set->delta;
    now->down = set->forgetting * now->down + deviation + set->delta;
    now->lowest = now->up < now->lowest ? now->up : now->lowest;
    now->highest = now->down > now->highest ? now->down : now->highest;
    double rise = now->up - now->lowest, fall = now->highest - now->down;
    if (set->direction == BOTH) {
        return rise > fall ? rise : fall;
    }
    return set->direction == UP ? rise : fall;
}

/* Says what the statistic after the value at `index` means, and begins anew after drift. */
static void judge(sums *now, double statistic, uint32_t index, const settings *set, bw_advance *advance) {
    if (now->count < (uint64_t)set->min_instances) {
        return;
    }
    if (statistic > set->threshold) {
        bw_advance_add(advance, (bw_event){index, BW_EVENT_DRIFT, statistic});
        *now = fresh();
        return;
    }
    bool above = set->warning_threshold > 0.0 && statistic > set->warning_threshold;
    if (above && !now->warned) {
        bw_advance_add(advance, (bw_event){index, BW_EVENT_WARNING, statistic});
    }
    now->warned = above;
}

static const bw_error *start(const bw_json *config, bw_bytes *state) {
    (void)config;
    sums now = fresh();
    *state = write_state(&now);
    return NULL;
}

static const bw_error *update(bw_bytes state, bw_numbers values, const bw_json *config, bw_advance *advance) {
    settings set;
    BW_TRY(read_settings(config, &set));
    sums now;
    BW_TRY(read_state(state, &now));
    for (size_t place = 0; place < values.count; place++) {
        double value = values.data[place];
        if (isnan(value)) {
            /* Missing: it says nothing about the mean and does not count. */
            continue;
        }
        double statistic = take(&now, value, &set);
        if (!isfinite(statistic) || !isfinite(now.mean)) {
            return bw_invalid_input("value %zu is %g: values must be finite, and small enough that their sums are", place, value);
        }
        judge(&now, statistic, (uint32_t)place, &set, advance);
    }
    advance->state = write_state(&now);
    return NULL;
}

const bw_drift_detector bw_drift_detector_plugin = {
    .plugin =
        {
            .name = "page-hinkley",
            .version = "0.1.0",
            .summary = "Page-Hinkley test: drift when values keep to one side of their running mean.",
            .config_schema = BW_JSON({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "threshold": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "default": 50.0,
                        "description": "Statistic past which there is drift, in the unit of the values. Smaller finds changes sooner and raises more false alarms."
                    },
                    "warning_threshold": {
                        "type": "number",
                        "minimum": 0,
                        "default": 0,
                        "description": "Statistic past which there is a warning; below `threshold`, 0 for none."
                    },
                    "delta": {
                        "type": "number",
                        "minimum": 0,
                        "default": 0.005,
                        "description": "Distance from the mean that is let pass at each value, in the unit of the values; about half the least change that matters."
                    },
                    "forgetting": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "maximum": 1,
                        "default": 0.9999,
                        "description": "Share of the sums kept at each value; 1 forgets nothing."
                    },
                    "min_instances": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 1000000000,
                        "default": 30,
                        "description": "Values since the start or the last drift before anything is reported."
                    },
                    "direction": {
                        "type": "string",
                        "enum": ["up", "down", "both"],
                        "default": "both",
                        "description": "Which change of the mean counts: a rise, a fall, or either."
                    }
                }
            }),
            .check = check,
        },
    .start = start,
    .update = update,
};
