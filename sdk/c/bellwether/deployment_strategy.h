/* Decides how an endpoint moves from one model version to another (kind `deployment-strategy`). The host's controller carries
 * out, stores and waits; a strategy only says what comes next, from what it is told. Pure.
 *
 *     const bw_deployment_strategy bw_deployment_strategy_plugin = {.plugin = {...}, .next = next};
 */
#ifndef BELLWETHER_DEPLOYMENT_STRATEGY_H
#define BELLWETHER_DEPLOYMENT_STRATEGY_H

#include "plugin.h"

/* A live metric, with the count of outcomes behind it. */
typedef struct {
    bw_text name;
    double value;
    uint64_t outcomes;
} bw_metric;

/* One version's measurements since the current step began. With zero requests every other figure is absent: no data is not a
 * pass. */
typedef struct {
    uint64_t requests;
    uint64_t errors;
    bw_optional latency_p50_ms;
    bw_optional latency_p99_ms;
    const bw_metric *metrics;
    size_t metric_count;
} bw_measurement;

/* One side of a rollout. */
typedef struct {
    bw_text model_id;
    /* Share of the endpoint's predictions it answers, 0 to 1, and share it is shown without answering. */
    double share;
    double shadow;
    bw_measurement measured;
} bw_side;

/* The host's own check of the candidate: it loads, answers probes, with finite numbers, within the latency bound. */
typedef struct {
    bool passed;
    uint32_t probes;
    double slowest_ms;
    /* What failed, for a person; empty when it passed. */
    bw_texts reasons;
} bw_health;

typedef enum { BW_FAILED, BW_PASSED, BW_TOO_LITTLE_DATA } bw_verdict;

/* An analysis the host ran because the strategy asked for it. */
typedef struct {
    bw_verdict verdict;
    /* What was compared. */
    bw_texts reasons;
} bw_analysis;

/* What happens next. The fields after `kind` belong to the kind that is named. */
typedef enum {
    /* Set the candidate's traffic: `share`, `shadow`. */
    BW_SET_WEIGHT,
    /* Set how many replicas run the candidate: `updated` of `total`. */
    BW_SET_REPLICAS,
    /* Wait this many `seconds`. */
    BW_PAUSE_FOR,
    /* Wait until a person approves. */
    BW_PAUSE_UNTIL_APPROVED,
    /* Run the host's health check of the candidate; its result is in the next call. */
    BW_CHECK_HEALTH,
    /* Measure for `seconds`, comparing `metrics` (none: errors and latency only), with at least `least_requests` on the
     * candidate for a verdict; the result is in the next call. */
    BW_ANALYSE,
    /* The candidate becomes the stable version. Ends the rollout. */
    BW_PROMOTE,
    /* Back to the stable version, with the `reason` for a person. Ends the rollout. */
    BW_ROLLBACK,
} bw_action_kind;

typedef struct {
    bw_action_kind kind;
    double share;
    double shadow;
    uint32_t updated;
    uint32_t total;
    uint32_t seconds;
    bw_texts metrics;
    uint64_t least_requests;
    bw_text reason;
} bw_action;

/* A step that was taken. */
typedef struct {
    uint32_t number;
    bw_action action;
    double seconds_ago;
} bw_step;

/* Everything a strategy may know. */
typedef struct {
    bw_text id;
    bw_text endpoint;
    /* The version that serves now; NULL on a first deployment. */
    const bw_side *stable;
    bw_side candidate;
    /* Steps taken so far, oldest first. */
    const bw_step *steps;
    size_t step_count;
    double elapsed_seconds;
    /* The controller's time of this decision, milliseconds since 1970-01-01T00:00:00Z. */
    int64_t now_ms;
    /* Results of the last health check and the last analysis; NULL when none ran. */
    const bw_health *health;
    const bw_analysis *analysis;
    /* A person approved the current pause. */
    bool approved;
    /* The strategy's own state from its last decision; empty at first. */
    bw_bytes state;
} bw_rollout;

/* What to do, and what to remember. */
typedef struct {
    bw_action action;
    /* Why, for the rollout's history. */
    bw_text reason;
    /* State for the next call, at most 64 KiB. */
    bw_bytes state;
} bw_decision;

/* Actions. */
bw_action bw_set_weight(double share, double shadow);
bw_action bw_set_replicas(uint32_t updated, uint32_t total);
bw_action bw_pause_for(uint32_t seconds);
bw_action bw_pause_until_approved(void);
bw_action bw_check_health(void);
bw_action bw_analyse(bw_texts metrics, uint32_t seconds, uint64_t least_requests);
bw_action bw_promote(void);

/* Back to the stable version; the same reason is given to people and kept in the history. */
bw_decision bw_rollback(bw_text reason);

typedef struct {
    bw_plugin plugin;
    /* Decides the next action. The same arguments must give the same decision. */
    const bw_error *(*next)(const bw_rollout *rollout, const bw_json *config, bw_decision *decision);
} bw_deployment_strategy;

/* The plugin; it defines this. */
extern const bw_deployment_strategy bw_deployment_strategy_plugin;

#endif
