/* What both worlds of models export, over a plugin's `bw_model_plugin`. Included once by their files. */
#include "../model.h"
#include "texts.h"

#include "network.h"

static const bw_model *const plugin = &bw_model_plugin;

void exports_bellwether_types_plugin_describe(exports_bellwether_types_plugin_description_t *ret) {
    glue_describe(&plugin->plugin, ret);
}

static const bw_error *requires(world_string_t *document, bw_requirements *requirements) {
    const bw_json *config;
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    return plugin->requires(config, requirements);
}

bool exports_bellwether_model_planner_requires(world_string_t *config, exports_bellwether_model_planner_requirements_t *ret,
                                               bellwether_types_common_error_t *err) {
    bw_requirements requirements = {0};
    const bw_error *error = requires(config, &requirements);
    if (error == NULL) {
        ret->features = glue_texts_out(requirements.features);
        ret->sequence_length = requirements.sequence_length;
        ret->least_rows = requirements.least_rows;
    }
    return glue_end(error, err);
}

static const bw_error *plan(world_string_t *document, exports_bellwether_model_planner_input_shape_t *given_input,
                            exports_bellwether_model_planner_target_t *given_target, bw_training_plan *made) {
    const bw_json *config;
    bw_input_shape input = {given_input->sequence_length, glue_texts_in(given_input->features.ptr, given_input->features.len)};
    bw_target target = {glue_text_in(&given_target->kind), given_target->horizon,
                        given_target->task == EXPORTS_BELLWETHER_MODEL_PLANNER_TASK_BINARY ? BW_BINARY : BW_REGRESSION};
    BW_TRY(bw_plugin_config(&plugin->plugin, glue_text_in(document), &config));
    return plugin->plan(config, &input, &target, made);
}

_Static_assert((int)BW_COMBINE_STACKING == EXPORTS_BELLWETHER_MODEL_PLANNER_COMBINATION_STACKING, "combinations stand in the contract's order");

static void plan_out(const bw_training_plan *made, exports_bellwether_model_planner_training_plan_t *out) {
    switch (made->kind) {
    case BW_PLAN_NETWORK:
        out->tag = EXPORTS_BELLWETHER_MODEL_PLANNER_TRAINING_PLAN_NETWORK;
        out->val.network = glue_network(made->network);
        break;
    case BW_PLAN_ENSEMBLE:
        out->tag = EXPORTS_BELLWETHER_MODEL_PLANNER_TRAINING_PLAN_MEMBERS;
        out->val.members.combine = (uint8_t)made->combine;
        out->val.members.members.len = made->member_count;
        out->val.members.members.ptr = glue_memory(made->member_count, sizeof *out->val.members.members.ptr);
        for (size_t place = 0; place < made->member_count; place++) {
            const bw_member *member = &made->members[place];
            out->val.members.members.ptr[place].model_type = glue_text_out(member->model_type);
            out->val.members.members.ptr[place].config = glue_text_out(member->config);
            out->val.members.members.ptr[place].weight = member->weight;
        }
        break;
    case BW_PLAN_GUEST:
        out->tag = EXPORTS_BELLWETHER_MODEL_PLANNER_TRAINING_PLAN_GUEST;
        out->val.guest.scaled = made->scaled;
        out->val.guest.last_step_only = made->last_step_only;
        break;
    }
}

bool exports_bellwether_model_planner_plan(world_string_t *config, exports_bellwether_model_planner_input_shape_t *input,
                                           exports_bellwether_model_planner_target_t *target,
                                           exports_bellwether_model_planner_training_plan_t *ret, bellwether_types_common_error_t *err) {
    bw_training_plan made = {0};
    const bw_error *error = plan(config, input, target, &made);
    if (error == NULL && made.kind == BW_PLAN_NETWORK && made.network == NULL) {
        error = bw_internal("the plan names no network");
    }
    if (error == NULL) {
        plan_out(&made, ret);
    }
    return glue_end(error, err);
}

void exports_bellwether_model_planner_search_space(exports_bellwether_model_planner_list_hyper_parameter_t *ret) {
    bw_search_space space = {0};
    if (plugin->search_space != NULL) {
        space = plugin->search_space();
    }
    ret->len = space.count;
    ret->ptr = glue_memory(space.count, sizeof *ret->ptr);
    for (size_t place = 0; place < space.count; place++) {
        const bw_hyper_parameter *given = &space.data[place];
        exports_bellwether_model_planner_hyper_parameter_t *out = &ret->ptr[place];
        out->name = glue_text_out(given->name);
        switch (given->kind) {
        case BW_RANGE_WHOLE:
            out->values.tag = EXPORTS_BELLWETHER_MODEL_PLANNER_RANGE_WHOLE;
            out->values.val.whole.f0 = (int64_t)given->low;
            out->values.val.whole.f1 = (int64_t)given->high;
            out->values.val.whole.f2 = given->log;
            break;
        case BW_RANGE_REAL:
            out->values.tag = EXPORTS_BELLWETHER_MODEL_PLANNER_RANGE_REAL;
            out->values.val.real.f0 = given->low;
            out->values.val.real.f1 = given->high;
            out->values.val.real.f2 = given->log;
            break;
        case BW_RANGE_CHOICE:
            out->values.tag = EXPORTS_BELLWETHER_MODEL_PLANNER_RANGE_CHOICE;
            world_list_string_t choices = glue_texts_out(given->choices);
            out->values.val.choice.ptr = choices.ptr;
            out->values.val.choice.len = choices.len;
            break;
        }
    }
    bw_free_all();
}
