/* A rollout to begin from, and a network in lines. */
#include "testing.h"

bw_rollout bw_test_rollout(const char *stable, const char *candidate) {
    bw_side *serving = bw_alloc(sizeof *serving);
    if (stable != NULL) {
        *serving = (bw_side){.model_id = bw_text_of(stable), .share = 1.0};
    }
    return (bw_rollout){
        .id = bw_text_of("rollout-1"),
        .endpoint = bw_text_of("BTC-USDT"),
        .stable = stable == NULL ? NULL : serving,
        .candidate = {.model_id = bw_text_of(candidate)},
    };
}

static const char *const activations[] = {"relu", "gelu", "silu", "tanh", "sigmoid", "softplus", "softmax"};

/* What tells operations of one kind apart, in brackets. */
static bw_text option(const bw_operation *operation) {
    switch (operation->kind) {
    case BW_OP_DENSE:
        return bw_textf("(%u)", operation->of.dense.units);
    case BW_OP_LSTM:
    case BW_OP_GRU:
        return bw_textf("(%u)", operation->of.recurrent.units);
    case BW_OP_CONV:
        return bw_textf("(%u)", operation->of.conv.filters);
    case BW_OP_ACTIVATION:
        return bw_textf("(%s)", activations[operation->of.activation]);
    case BW_OP_DROPOUT:
        return bw_textf("(%g)", operation->of.number);
    case BW_OP_INPUT:
    case BW_OP_LAYER_NORM:
    case BW_OP_BATCH_NORM:
    case BW_OP_ATTENTION:
    case BW_OP_POSITIONS:
    case BW_OP_EMBEDDING:
    case BW_OP_ADD:
    case BW_OP_MULTIPLY:
    case BW_OP_CONCAT:
    case BW_OP_SLICE:
    case BW_OP_RESHAPE:
    case BW_OP_POOL:
    case BW_OP_CUSTOM:
        break;
    }
    return bw_text_of("");
}

bw_text bw_test_outline(const bw_network *network) {
    bw_text *names = bw_alloc_array(network->node_count, sizeof *names);
    bw_text outline = bw_text_of("");
    size_t place = 0;
    for (const bw_network_node *node = network->first; node != NULL; node = node->next) {
        names[place++] = node->name;
        outline = bw_textf("%s%s%s", outline.data, node->name.data, option(&node->operation).data);
        for (size_t input = 0; input < node->input_count; input++) {
            /* A node that reads one not there yet is shown by its number. */
            bw_node read = node->inputs[input];
            bw_text name = read < place ? names[read] : bw_textf("%u", read);
            outline = bw_textf("%s%s%s", outline.data, input == 0 ? " <- " : ", ", name.data);
        }
        outline = bw_textf("%s\n", outline.data);
    }
    return outline;
}
