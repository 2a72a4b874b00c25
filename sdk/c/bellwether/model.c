/* Plans, settings worth tuning, and what targets ask for. */
#include "model.h"

bw_training_plan bw_plan_network(const bw_network *network) {
    return (bw_training_plan){.kind = BW_PLAN_NETWORK, .network = network};
}

bw_training_plan bw_plan_ensemble(const bw_member *members, size_t count, bw_combination combine) {
    bw_member *copy = bw_alloc_array(count, sizeof *copy);
    for (size_t place = 0; place < count; place++) {
        copy[place] = members[place];
    }
    return (bw_training_plan){.kind = BW_PLAN_ENSEMBLE, .members = copy, .member_count = count, .combine = combine};
}

bw_training_plan bw_plan_guest(bool scaled, bool last_step_only) {
    return (bw_training_plan){.kind = BW_PLAN_GUEST, .scaled = scaled, .last_step_only = last_step_only};
}

bw_hyper_parameter bw_tune_whole(const char *name, int64_t low, int64_t high) {
    return (bw_hyper_parameter){.name = bw_text_of(name), .kind = BW_RANGE_WHOLE, .low = (double)low, .high = (double)high};
}

bw_hyper_parameter bw_tune_whole_log(const char *name, int64_t low, int64_t high) {
    bw_hyper_parameter parameter = bw_tune_whole(name, low, high);
    parameter.log = true;
    return parameter;
}

bw_hyper_parameter bw_tune_real(const char *name, double low, double high) {
    return (bw_hyper_parameter){.name = bw_text_of(name), .kind = BW_RANGE_REAL, .low = low, .high = high};
}

bw_hyper_parameter bw_tune_real_log(const char *name, double low, double high) {
    bw_hyper_parameter parameter = bw_tune_real(name, low, high);
    parameter.log = true;
    return parameter;
}

bw_hyper_parameter bw_tune_choice(const char *name, const char *values) {
    bw_hyper_parameter parameter = {.name = bw_text_of(name), .kind = BW_RANGE_CHOICE};
    const bw_json *array = bw_json_parse(bw_text_of(values), NULL);
    size_t count = array == NULL ? 0 : array->count, place = 0;
    bw_text *choices = bw_alloc_array(count, sizeof *choices);
    for (const bw_json *value = array == NULL ? NULL : array->first; value != NULL; value = value->next) {
        bw_document document = {0};
        bw_put_json(&document, NULL, value);
        choices[place++] = bw_document_text(&document);
    }
    parameter.choices = (bw_texts){choices, place};
    return parameter;
}

bw_texts bw_stationary_features(void) {
    return BW_TEXTS("log-return", "log-range", "body", "realized-volatility(6)", "realized-volatility(24)", "realized-volatility(168)",
                    "volume-zscore(24)", "hour-sin", "hour-cos");
}

const bw_error *bw_task_of(bw_numbers targets, bw_task *task) {
    bool alike = true, binary = true;
    for (size_t place = 0; place < targets.count; place++) {
        double target = targets.data[place];
        alike = alike && target == targets.data[0];
        binary = binary && (target == 0.0 || target == 1.0);
    }
    if (alike) {
        return bw_invalid_input("all %zu training targets are the same: there is nothing to learn from one value", targets.count);
    }
    *task = binary ? BW_BINARY : BW_REGRESSION;
    return NULL;
}
