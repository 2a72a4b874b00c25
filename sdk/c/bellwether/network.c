/* Building networks: a chain of nodes in the order they were added. */
#include <string.h>

#include "network.h"

bw_network *bw_network_new(void) {
    bw_network *net = bw_alloc(sizeof *net);
    net->training = (bw_training){
        .epochs = 100,
        .batch_size = 32,
        .learning_rate = 0.001,
        .optimizer = BW_ADAM,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = 1e-8,
        .clip_norm = {true, 1.0},
        .patience = 10,
    };
    return net;
}

static bw_network_node *find(bw_network *net, bw_node node) {
    bw_network_node *found = net->first;
    for (; found != NULL && node > 0; node--) {
        found = found->next;
    }
    return found;
}

/* How many nodes were named after this kind so far. */
static unsigned named(const bw_network *net, const char *kind) {
    unsigned count = 0;
    size_t length = strlen(kind);
    for (const bw_network_node *node = net->first; node != NULL; node = node->next) {
        const char *rest = node->name.data + length;
        if (node->name.length > length && memcmp(node->name.data, kind, length) == 0 && *rest == '_' &&
            strspn(rest + 1, "0123456789") == strlen(rest + 1)) {
            count++;
        }
    }
    return count;
}

bw_node bw_net_operation(bw_network *net, const char *kind, bw_operation operation, const bw_node *inputs, size_t count) {
    bw_network_node *node = bw_alloc(sizeof *node);
    bw_node *copy = bw_alloc_array(count, sizeof *copy);
    for (size_t place = 0; place < count; place++) {
        copy[place] = inputs[place];
    }
    /* There is one input nearly always: it needs no number. */
    bool plain = operation.kind == BW_OP_INPUT && net->node_count == 0;
    bw_text name = plain ? bw_text_of(kind) : bw_textf("%s_%u", kind, named(net, kind) + 1);
    *node = (bw_network_node){.name = name, .operation = operation, .inputs = copy, .input_count = count};
    bw_network_node **link = &net->first;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = node;
    return net->node_count++;
}

static bw_node add_one(bw_network *net, const char *kind, bw_operation operation, bw_node x) {
    return bw_net_operation(net, kind, operation, &x, 1);
}

bw_node bw_net_input(bw_network *net) {
    return bw_net_operation(net, "input", (bw_operation){.kind = BW_OP_INPUT}, NULL, 0);
}

bw_node bw_net_dense(bw_network *net, bw_node x, uint32_t units) {
    return bw_net_dense_with(net, x, (bw_dense){.units = units});
}

bw_node bw_net_dense_with(bw_network *net, bw_node x, bw_dense layer) {
    return add_one(net, "dense", (bw_operation){BW_OP_DENSE, {.dense = layer}}, x);
}

bw_node bw_net_lstm(bw_network *net, bw_node x, bw_recurrent layer) {
    return add_one(net, "lstm", (bw_operation){BW_OP_LSTM, {.recurrent = layer}}, x);
}

bw_node bw_net_gru(bw_network *net, bw_node x, bw_recurrent layer) {
    return add_one(net, "gru", (bw_operation){BW_OP_GRU, {.recurrent = layer}}, x);
}

bw_node bw_net_conv(bw_network *net, bw_node x, bw_conv layer) {
    return add_one(net, "conv", (bw_operation){BW_OP_CONV, {.conv = layer}}, x);
}

bw_node bw_net_layer_norm(bw_network *net, bw_node x, double epsilon) {
    return add_one(net, "layer_norm", (bw_operation){BW_OP_LAYER_NORM, {.number = epsilon}}, x);
}

bw_node bw_net_batch_norm(bw_network *net, bw_node x, double epsilon, double momentum) {
    return add_one(net, "batch_norm", (bw_operation){BW_OP_BATCH_NORM, {.batch_norm = {epsilon, momentum}}}, x);
}

bw_node bw_net_attention(bw_network *net, bw_node x, uint32_t heads, bool causal, double dropout) {
    return add_one(net, "attention", (bw_operation){BW_OP_ATTENTION, {.attention = {heads, causal, dropout}}}, x);
}

bw_node bw_net_positions(bw_network *net, bw_node x, bw_position position) {
    return add_one(net, "positions", (bw_operation){BW_OP_POSITIONS, {.position = position}}, x);
}

bw_node bw_net_embedding(bw_network *net, bw_node x, uint32_t categories, uint32_t width) {
    return add_one(net, "embedding", (bw_operation){BW_OP_EMBEDDING, {.embedding = {categories, width}}}, x);
}

bw_node bw_net_dropout(bw_network *net, bw_node x, double share) {
    return add_one(net, "dropout", (bw_operation){BW_OP_DROPOUT, {.number = share}}, x);
}

bw_node bw_net_activation(bw_network *net, bw_node x, bw_activation function) {
    return add_one(net, "activation", (bw_operation){BW_OP_ACTIVATION, {.activation = function}}, x);
}

bw_node bw_net_add(bw_network *net, bw_node x, bw_node y) {
    return bw_net_operation(net, "add", (bw_operation){.kind = BW_OP_ADD}, (bw_node[]){x, y}, 2);
}

bw_node bw_net_multiply(bw_network *net, bw_node x, bw_node y) {
    return bw_net_operation(net, "multiply", (bw_operation){.kind = BW_OP_MULTIPLY}, (bw_node[]){x, y}, 2);
}

bw_node bw_net_concat(bw_network *net, const bw_node *values, size_t count, uint32_t axis) {
    return bw_net_operation(net, "concat", (bw_operation){BW_OP_CONCAT, {.axis = axis}}, values, count);
}

bw_node bw_net_slice(bw_network *net, bw_node x, uint32_t axis, uint32_t start, uint32_t length) {
    return add_one(net, "slice", (bw_operation){BW_OP_SLICE, {.slice = {axis, start, length}}}, x);
}

bw_node bw_net_reshape(bw_network *net, bw_node x, const uint32_t *shape, size_t count) {
    uint32_t *copy = bw_alloc_array(count, sizeof *copy);
    for (size_t place = 0; place < count; place++) {
        copy[place] = shape[place];
    }
    return add_one(net, "reshape", (bw_operation){BW_OP_RESHAPE, {.shape = {copy, count}}}, x);
}

bw_node bw_net_pool(bw_network *net, bw_node x, bw_pooling pooling) {
    return add_one(net, "pool", (bw_operation){BW_OP_POOL, {.pooling = pooling}}, x);
}

void bw_net_name(bw_network *net, bw_node node, const char *name) {
    bw_network_node *found = find(net, node);
    if (found != NULL) {
        found->name = bw_text_copy(name, strlen(name));
    }
}

void bw_net_output(bw_network *net, const char *name, bw_node node, bw_loss loss) {
    bw_net_weighted_output(net, name, node, loss, 1.0);
}

void bw_net_weighted_output(bw_network *net, const char *name, bw_node node, bw_loss loss, double weight) {
    bw_network_output *output = bw_alloc(sizeof *output);
    *output = (bw_network_output){.name = bw_text_copy(name, strlen(name)), .node = node, .loss = loss, .weight = weight};
    /* Often a literal of the caller's block, which ends before the host reads the plan. */
    output->loss.numbers = bw_numbers_copy(loss.numbers.data, loss.numbers.count);
    bw_network_output **link = &net->outputs;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = output;
    net->output_count++;
}
