/* Model types: what a model is, and, where it is not a network, how it learns (kind `model`).
 *
 *     const bw_model bw_model_plugin = {
 *         .plugin = {...}, .requires = requires, .plan = plan, .search_space = search_space, .fit = fit, .predict = predict,
 *     };
 *
 * A plan that is a network or an ensemble is trained and served natively and needs neither `fit` nor `predict`: it is built for
 * the world `model`. One that is `bw_plan_guest` needs both: it is built for the world `guest-model`.
 */
#ifndef BELLWETHER_MODEL_H
#define BELLWETHER_MODEL_H

#include "data.h"
#include "network.h"
#include "plugin.h"

/* What the model needs before it can be planned. */
typedef struct {
    /* Features it wants when the job names none, for example `rsi(14)`. */
    bw_texts features;
    /* Time steps per window when the job names none. */
    uint32_t sequence_length;
    /* Least training samples. */
    uint32_t least_rows;
} bw_requirements;

/* What the model will be shown. */
typedef struct {
    uint32_t sequence_length;
    bw_texts features;
} bw_input_shape;

/* A real number, or a probability that something happens (a network's output is then a logit). */
typedef enum { BW_REGRESSION, BW_BINARY } bw_task;

/* What is predicted. */
typedef struct {
    /* `return`, `direction`, `price` or `realized-volatility`. */
    bw_text kind;
    /* Bars ahead. */
    uint32_t horizon;
    bw_task task;
} bw_target;

/* One model of an ensemble. */
typedef struct {
    bw_text model_type;
    /* Its configuration, a JSON object. */
    bw_text config;
    /* For BW_COMBINE_WEIGHTED. */
    double weight;
} bw_member;

typedef enum { BW_COMBINE_MEAN, BW_COMBINE_WEIGHTED, BW_COMBINE_MEDIAN, BW_COMBINE_STACKING } bw_combination;

typedef enum { BW_PLAN_NETWORK, BW_PLAN_ENSEMBLE, BW_PLAN_GUEST } bw_plan_kind;

/* What the host is to train; made by the functions below. */
typedef struct {
    bw_plan_kind kind;
    const bw_network *network;
    const bw_member *members;
    size_t member_count;
    bw_combination combine;
    /* Features scaled as a network's are, or raw. */
    bool scaled;
    /* Only each window's last time step is read: the host need not build whole windows. */
    bool last_step_only;
} bw_training_plan;

bw_training_plan bw_plan_network(const bw_network *network);
/* At least two members, which are copied. */
bw_training_plan bw_plan_ensemble(const bw_member *members, size_t count, bw_combination combine);
bw_training_plan bw_plan_guest(bool scaled, bool last_step_only);

/* A setting worth tuning: whole or real numbers from `low` to `high`, evenly or by ratio, or one of some JSON values. */
typedef struct {
    bw_text name;
    enum { BW_RANGE_WHOLE, BW_RANGE_REAL, BW_RANGE_CHOICE } kind;
    double low;
    double high;
    bool log;
    bw_texts choices;
} bw_hyper_parameter;

typedef struct {
    const bw_hyper_parameter *data;
    size_t count;
} bw_search_space;

bw_hyper_parameter bw_tune_whole(const char *name, int64_t low, int64_t high);
bw_hyper_parameter bw_tune_whole_log(const char *name, int64_t low, int64_t high);
bw_hyper_parameter bw_tune_real(const char *name, double low, double high);
bw_hyper_parameter bw_tune_real_log(const char *name, double low, double high);
/* `values` is a JSON array: bw_tune_choice("kernel", BW_JSON(["a", "b"])). */
bw_hyper_parameter bw_tune_choice(const char *name, const char *values);

/* Features that say where a market stands and have kept their scale over years: returns, ranges and volatilities instead of
 * prices and volumes, which no model can know beyond those it has seen. A good default for any model type. */
bw_texts bw_stationary_features(void);

/* The least and the most training targets are 0 and 1, and so are all between: a probability is asked for. Errors:
 * BW_INVALID_INPUT when all are the same, for then there is nothing to learn. */
const bw_error *bw_task_of(bw_numbers targets, bw_task *task);

typedef struct {
    bw_plugin plugin;
    /* What this model needs under a configuration. */
    const bw_error *(*requires)(const bw_json *config, bw_requirements *requirements);
    /* What to train under a configuration. Pure. */
    const bw_error *(*plan)(const bw_json *config, const bw_input_shape *input, const bw_target *target, bw_training_plan *plan);
    /* Settings worth tuning; NULL for none. */
    bw_search_space (*search_space)(void);
    /* Learns from `train`; `validation` comes later in time and may steer stopping. `state` becomes what `predict` reads. */
    const bw_error *(*fit)(const bw_windows *train, const bw_windows *validation, const bw_json *config, bw_bytes *state);
    /* Predicts each sample of `inputs`, in order, in the target's unit (for a binary task a probability). */
    const bw_error *(*predict)(bw_bytes state, const bw_windows *inputs, const bw_json *config, bw_numbers *predictions);
} bw_model;

/* The plugin; it defines this. */
extern const bw_model bw_model_plugin;

#endif
