/* `{{name}}`: gives the candidate more traffic step by step, measuring after each.
 *
 *     check health -> (set a share -> measure) for each share -> promote
 *
 * A failed check or a worse measurement goes back to the stable version; so does one without a verdict, for no data is no pass. A
 * first share is only set in the hours that were asked for. The state is the number of things done so far.
 */
#include "bellwether/deployment_strategy.h"

#define TAG "{{name}}"
#define LAYOUT 1

typedef struct {
    bw_numbers shares;
    bw_texts metrics;
    int64_t observe_seconds;
    int64_t least_requests;
    int64_t from_hour;
    int64_t to_hour;
} settings;

static const bw_error *read_settings(const bw_json *config, settings *out) {
    BW_TRY(bw_config_numbers(config, "shares", &out->shares));
    BW_TRY(bw_config_texts(config, "metrics", &out->metrics));
    BW_TRY(bw_config_whole(config, "observe_seconds", &out->observe_seconds));
    BW_TRY(bw_config_whole(config, "least_requests", &out->least_requests));
    BW_TRY(bw_config_whole(config, "from_hour", &out->from_hour));
    BW_TRY(bw_config_whole(config, "to_hour", &out->to_hour));
    return NULL;
}

static const bw_error *check(const bw_json *config) {
    settings set;
    BW_TRY(read_settings(config, &set));
    for (size_t place = 1; place < set.shares.count; place++) {
        if (set.shares.data[place] <= set.shares.data[place - 1]) {
            return bw_invalid_config("`shares`: %g stands before %g; they must ascend", set.shares.data[place - 1], set.shares.data[place]);
        }
    }
    if (set.from_hour >= set.to_hour) {
        return bw_invalid_config("`from_hour` is %d and `to_hour` %d: the first must be smaller", (int)set.from_hour, (int)set.to_hour);
    }
    return NULL;
}

static const bw_error *read_state(bw_bytes state, uint64_t *done) {
    *done = 0;
    if (state.count == 0) {
        return NULL;
    }
    bw_reader reader = bw_reader_open(state, TAG, LAYOUT);
    *done = bw_read_u64(&reader);
    return bw_read_end(&reader);
}

/* An action to take, after which `done` things are done. */
static bw_decision go(uint64_t done, bw_action action, bw_text reason) {
    bw_writer writer = bw_writer_new(TAG, LAYOUT);
    bw_write_u64(&writer, done);
    return (bw_decision){.action = action, .reason = reason, .state = bw_writer_bytes(&writer)};
}

/* Why the last result is no pass; `data` is NULL when it is one. */
static bw_text failure(const bw_rollout *rollout, bool after_health) {
    if (after_health) {
        const bw_health *health = rollout->health;
        if (health == NULL) {
            return bw_text_of("the health check gave no result");
        }
        return health->passed ? (bw_text){0} : bw_textf("the health check failed: %s", bw_text_join(health->reasons, "; ").data);
    }
    const bw_analysis *analysis = rollout->analysis;
    if (analysis == NULL || analysis->verdict == BW_TOO_LITTLE_DATA) {
        return bw_text_of("too few requests for a verdict: no data is no pass");
    }
    return analysis->verdict == BW_PASSED ? (bw_text){0} : bw_textf("the candidate did worse: %s", bw_text_join(analysis->reasons, "; ").data);
}

/* Seconds until the hours in which traffic may begin to move; 0 within them. */
static uint32_t seconds_to_wait(const settings *set, int64_t now_ms) {
    int64_t second = (now_ms / 1000 % 86400 + 86400) % 86400, from = set->from_hour * 3600, to = set->to_hour * 3600;
    if (second >= from && second < to) {
        return 0;
    }
    return (uint32_t)(second < from ? from - second : from + 86400 - second);
}

/* What follows a check or a measurement that passed: the next share, or promotion. */
static bw_decision advance(const bw_rollout *rollout, const settings *set, uint64_t done) {
    size_t place = (size_t)(done / 2);
    if (place >= set->shares.count) {
        return go(done, bw_promote(), bw_text_of("the candidate held at every share"));
    }
    uint32_t wait = place == 0 ? seconds_to_wait(set, rollout->now_ms) : 0;
    if (wait > 0) {
        return go(done, bw_pause_for(wait), bw_textf("traffic begins to move between %d and %d o'clock UTC", (int)set->from_hour, (int)set->to_hour));
    }
    double share = set->shares.data[place];
    return go(done + 1, bw_set_weight(share, 0.0), bw_textf("give the candidate %g %% of the traffic", 100.0 * share));
}

/* `done` is 0 before the health check, odd after it and after each measurement was asked for, even after each share was set. */
static const bw_error *next(const bw_rollout *rollout, const bw_json *config, bw_decision *decision) {
    settings set;
    BW_TRY(read_settings(config, &set));
    uint64_t done;
    BW_TRY(read_state(rollout->state, &done));
    if (done > 2 * set.shares.count + 1) {
        return bw_state_damaged(TAG, "it is past the last share");
    }
    if (done == 0) {
        *decision = go(1, bw_check_health(), bw_text_of("check the candidate before it gets traffic"));
    } else if (done % 2 == 0) {
        bw_action measure = bw_analyse(set.metrics, (uint32_t)set.observe_seconds, (uint64_t)set.least_requests);
        *decision = go(done + 1, measure, bw_text_of("measure the candidate at this share"));
    } else {
        bw_text why = failure(rollout, done == 1);
        *decision = why.data == NULL ? advance(rollout, &set, done) : bw_rollback(why);
    }
    return NULL;
}

const bw_deployment_strategy bw_deployment_strategy_plugin = {
    .plugin =
        {
            .name = "{{name}}",
            .version = "0.1.0",
            .summary = "Gives the candidate more traffic step by step, measuring after each.",
            .config_schema = BW_JSON({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "shares": {
                        "type": "array",
                        "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                        "minItems": 1,
                        "maxItems": 20,
                        "default": [0.05, 0.25, 0.5],
                        "description": "Shares of the traffic the candidate gets, one after another, before it is promoted."
                    },
                    "metrics": {
                        "type": "array",
                        "items": {"type": "string"},
                        "maxItems": 20,
                        "default": [],
                        "description": "Metrics to compare at each share; none for errors and latency only."
                    },
                    "observe_seconds": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 604800,
                        "default": 600,
                        "description": "Seconds to measure at each share."
                    },
                    "least_requests": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 1000000000,
                        "default": 100,
                        "description": "Least requests on the candidate for a verdict."
                    },
                    "from_hour": {
                        "type": "integer",
                        "minimum": 0,
                        "maximum": 23,
                        "default": 0,
                        "description": "Hour, UTC, from which traffic may begin to move."
                    },
                    "to_hour": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": 24,
                        "default": 24,
                        "description": "Hour, UTC, until which traffic may begin to move."
                    }
                }
            }),
            .check = check,
        },
    .next = next,
};
