/* A test of current data against a baseline made from reference data (kind `drift-test`). Pure: the host keeps the baseline.
 *
 *     const bw_drift_test bw_drift_test_plugin = {
 *         .plugin = {.name = "my-drift", .version = "0.1.0", .summary = "...", .config_schema = BW_JSON({...})},
 *         .baseline = baseline,
 *         .test = test,
 *     };
 */
#ifndef BELLWETHER_DRIFT_TEST_H
#define BELLWETHER_DRIFT_TEST_H

#include "data.h"
#include "plugin.h"

/* What one call compares: one column at a time, or all together. */
typedef enum { BW_UNIVARIATE, BW_MULTIVARIATE } bw_scope;

/* What the test can be given. The host checks it before calling. */
typedef struct {
    bw_scope scope;
    /* Kinds of column it understands. */
    bool numeric;
    bool categorical;
    /* Least present rows on either side for a verdict. */
    uint32_t least_rows;
} bw_acceptance;

/* The verdict on one comparison. Every number must be finite: a fault otherwise. */
typedef struct {
    /* The test statistic, in the test's own unit. */
    double statistic;
    /* Probability of a statistic at least this extreme without drift; none for plain distances. */
    bw_optional p_value;
    /* How far the data moved, on a scale where larger is further and `threshold` is the line. */
    double score;
    double threshold;
    bool drifted;
    /* Present values on either side. */
    uint64_t reference_count;
    uint64_t current_count;
    /* What a chart needs, a JSON object; left empty it is `{}`. */
    bw_text detail;
} bw_outcome;

typedef struct {
    bw_plugin plugin;
    /* NULL: one numeric column at a time, at least 30 values on either side. */
    bw_acceptance (*accepts)(void);
    /* Condenses reference data to bytes the host stores with the model version. Called once, at training. */
    const bw_error *(*baseline)(const bw_frame *reference, const bw_json *config, bw_bytes *baseline);
    /* Compares current data with a baseline this plugin made. The same arguments must give the same outcome. */
    const bw_error *(*test)(bw_bytes baseline, const bw_frame *current, const bw_json *config, bw_outcome *outcome);
} bw_drift_test;

/* The plugin; it defines this. */
extern const bw_drift_test bw_drift_test_plugin;

#endif
