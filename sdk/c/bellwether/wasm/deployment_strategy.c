/* The world `deployment-strategy` over a plugin's `bw_deployment_strategy_plugin`. */
#include "../bindings/deployment-strategy/world.h"

#include "glue.h"

#include "bytes.h"
#include "../deployment_strategy.h"
#include "stats.h"
#include "texts.h"

static const bw_deployment_strategy *const plugin = &bw_deployment_strategy_plugin;

void exports_bellwether_types_plugin_describe(exports_bellwether_types_plugin_description_t *ret) {
    glue_describe(&plugin->plugin, ret);
}

/* A text of the rollout, which is freed as a whole later. */
static bw_text text_of(world_string_t text) {
    return bw_text_copy((const char *)text.ptr, text.len);
}

static bw_texts texts_of(world_list_string_t list) {
    bw_text *texts = bw_alloc_array(list.len, sizeof *texts);
    for (size_t place = 0; place < list.len; place++) {
        texts[place] = text_of(list.ptr[place]);
    }
    return (bw_texts){texts, list.len};
}

static bw_optional optional_of(world_option_f64_t number) {
    return number.is_some ? bw_some(number.val) : (bw_optional){0};
}

static bw_side side_of(const exports_bellwether_deploy_strategy_side_t *given) {
    const exports_bellwether_deploy_strategy_measurement_t *measured = &given->measured;
    bw_metric *metrics = bw_alloc_array(measured->metrics.len, sizeof *metrics);
    for (size_t place = 0; place < measured->metrics.len; place++) {
        metrics[place] =
            (bw_metric){text_of(measured->metrics.ptr[place].f0), measured->metrics.ptr[place].f1, measured->metrics.ptr[place].f2};
    }
    return (bw_side){
        .model_id = text_of(given->model_id),
        .share = given->share,
        .shadow = given->shadow,
        .measured =
            {
                .requests = measured->requests,
                .errors = measured->errors,
                .latency_p50_ms = optional_of(measured->latency_p50_ms),
                .latency_p99_ms = optional_of(measured->latency_p99_ms),
                .metrics = metrics,
                .metric_count = measured->metrics.len,
            },
    };
}

static bw_action action_of(const exports_bellwether_deploy_strategy_action_t *given) {
    switch (given->tag) {
    case EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_SET_WEIGHT:
        return bw_set_weight(given->val.set_weight.share, given->val.set_weight.shadow);
    case EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_SET_REPLICAS:
        return bw_set_replicas(given->val.set_replicas.updated, given->val.set_replicas.total);
    case EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_PAUSE:
        return given->val.pause.tag == EXPORTS_BELLWETHER_DEPLOY_STRATEGY_PAUSE_SECONDS ? bw_pause_for(given->val.pause.val.seconds)
                                                                                        : bw_pause_until_approved();
    case EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_CHECK_HEALTH:
        return bw_check_health();
    case EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_ANALYSE:
        return bw_analyse(texts_of(given->val.analyse.metrics), given->val.analyse.seconds, given->val.analyse.least_requests);
    case EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_PROMOTE:
        return bw_promote();
    default:
        return bw_rollback(text_of(given->val.rollback)).action;
    }
}

static bw_rollout rollout_of(const exports_bellwether_deploy_strategy_rollout_t *given) {
    bw_side *stable = bw_alloc(sizeof *stable);
    bw_health *health = bw_alloc(sizeof *health);
    bw_analysis *analysis = bw_alloc(sizeof *analysis);
    bw_step *steps = bw_alloc_array(given->steps.len, sizeof *steps);
    if (given->stable.is_some) {
        *stable = side_of(&given->stable.val);
    }
    if (given->health.is_some) {
        *health = (bw_health){given->health.val.passed, given->health.val.probes, given->health.val.slowest_ms,
                              texts_of(given->health.val.reasons)};
    }
    if (given->analysis.is_some) {
        bool known = given->analysis.val.passed.is_some, passed = given->analysis.val.passed.val;
        *analysis = (bw_analysis){!known ? BW_TOO_LITTLE_DATA : passed ? BW_PASSED : BW_FAILED, texts_of(given->analysis.val.reasons)};
    }
    for (size_t place = 0; place < given->steps.len; place++) {
        const exports_bellwether_deploy_strategy_step_t *step = &given->steps.ptr[place];
        steps[place] = (bw_step){step->number, action_of(&step->action), step->seconds_ago};
    }
    return (bw_rollout){
        .id = text_of(given->id),
        .endpoint = text_of(given->endpoint),
        .stable = given->stable.is_some ? stable : NULL,
        .candidate = side_of(&given->candidate),
        .steps = steps,
        .step_count = given->steps.len,
        .elapsed_seconds = given->elapsed_seconds,
        .now_ms = given->now_ms,
        .health = given->health.is_some ? health : NULL,
        .analysis = given->analysis.is_some ? analysis : NULL,
        .approved = given->approved,
        .state = {given->state.ptr, given->state.len},
    };
}

static void action_out(const bw_action *action, exports_bellwether_deploy_strategy_action_t *out) {
    switch (action->kind) {
    case BW_SET_WEIGHT:
        out->tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_SET_WEIGHT;
        out->val.set_weight.share = action->share;
        out->val.set_weight.shadow = action->shadow;
        break;
    case BW_SET_REPLICAS:
        out->tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_SET_REPLICAS;
        out->val.set_replicas.updated = action->updated;
        out->val.set_replicas.total = action->total;
        break;
    case BW_PAUSE_FOR:
        out->tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_PAUSE;
        out->val.pause.tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_PAUSE_SECONDS;
        out->val.pause.val.seconds = action->seconds;
        break;
    case BW_PAUSE_UNTIL_APPROVED:
        out->tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_PAUSE;
        out->val.pause.tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_PAUSE_UNTIL_APPROVED;
        break;
    case BW_CHECK_HEALTH:
        out->tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_CHECK_HEALTH;
        break;
    case BW_ANALYSE:
        out->tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_ANALYSE;
        out->val.analyse.metrics = glue_texts_out(action->metrics);
        out->val.analyse.seconds = action->seconds;
        out->val.analyse.least_requests = action->least_requests;
        break;
    case BW_PROMOTE:
        out->tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_PROMOTE;
        break;
    case BW_ROLLBACK:
        out->tag = EXPORTS_BELLWETHER_DEPLOY_STRATEGY_ACTION_ROLLBACK;
        out->val.rollback = glue_text_out(action->reason);
        break;
    }
}

static const bw_error *next(const exports_bellwether_deploy_strategy_rollout_t *given, world_string_t *document, bw_decision *decision) {
    const bw_json *config;
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    bw_rollout rollout = rollout_of(given);
    return plugin->next(&rollout, config, decision);
}

bool exports_bellwether_deploy_strategy_next(exports_bellwether_deploy_strategy_rollout_t *rollout, world_string_t *config,
                                             exports_bellwether_deploy_strategy_decision_t *ret, bellwether_types_common_error_t *err) {
    bw_decision decision = {0};
    const bw_error *error = next(rollout, config, &decision);
    if (error == NULL) {
        action_out(&decision.action, &ret->action);
        ret->reason = glue_text_out(decision.reason);
        ret->state = glue_bytes_out(decision.state);
    }
    exports_bellwether_deploy_strategy_rollout_free(rollout);
    return glue_end(error, err);
}
