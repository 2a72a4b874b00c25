/* A network of the builder as the bindings want it. Included once by the file of a model's world. */

static bellwether_nn_network_initializer_t glue_initializer(bw_initializer given) {
    /* The kinds stand in the order of the contract. */
    bellwether_nn_network_initializer_t out = {.tag = (uint8_t)given.kind};
    switch (given.kind) {
    case BW_INIT_CONSTANT:
        out.val.constant = given.value;
        break;
    case BW_INIT_UNIFORM:
        out.val.uniform = given.value;
        break;
    case BW_INIT_NORMAL:
        out.val.normal = given.value;
        break;
    case BW_INIT_TRUNCATED_NORMAL:
        out.val.truncated_normal = given.value;
        break;
    default:
        break;
    }
    return out;
}

_Static_assert((int)BW_INIT_ORTHOGONAL == BELLWETHER_NN_NETWORK_INITIALIZER_ORTHOGONAL, "initializers stand in the contract's order");
_Static_assert((int)BW_OP_CUSTOM == BELLWETHER_NN_NETWORK_OPERATION_CUSTOM, "operations stand in the contract's order");
_Static_assert((int)BW_OP_BATCH_NORM == BELLWETHER_NN_NETWORK_OPERATION_BATCH_NORM, "operations stand in the contract's order");
_Static_assert((int)BW_OP_CONCAT == BELLWETHER_NN_NETWORK_OPERATION_CONCAT, "operations stand in the contract's order");
_Static_assert((int)BW_SOFTMAX == BELLWETHER_NN_NETWORK_ACTIVATION_SOFTMAX, "activations stand in the contract's order");
_Static_assert((int)BW_POOL_ATTENTION == BELLWETHER_NN_NETWORK_TIME_POOLING_ATTENTION, "poolings stand in the contract's order");
_Static_assert((int)BW_LEARNED == BELLWETHER_NN_NETWORK_POSITION_LEARNED, "positions stand in the contract's order");
_Static_assert((int)BW_CROSS_ENTROPY == BELLWETHER_NN_NETWORK_LOSS_CROSS_ENTROPY, "losses stand in the contract's order");

static uint32_t one_at_least(uint32_t given) {
    return given == 0 ? 1 : given;
}

static bellwether_nn_network_recurrent_t glue_recurrent(const bw_recurrent *layer) {
    return (bellwether_nn_network_recurrent_t){
        .units = layer->units,
        .layers = one_at_least(layer->layers),
        .bidirectional = layer->bidirectional,
        .return_sequences = layer->sequences,
        .kernel = glue_initializer(layer->kernel),
        .recurrent_kernel = glue_initializer(layer->recurrent_kernel),
    };
}

static bellwether_nn_network_conv1d_t glue_conv(const bw_conv *layer) {
    return (bellwether_nn_network_conv1d_t){
        .filters = layer->filters,
        .kernel_size = layer->kernel_size,
        .stride = one_at_least(layer->stride),
        .dilation = one_at_least(layer->dilation),
        .causal = !layer->valid,
        .bias = !layer->without_bias,
        .kernel = glue_initializer(layer->kernel),
    };
}

static bellwether_nn_network_operation_t glue_operation(const bw_operation *given) {
    bellwether_nn_network_operation_t out = {.tag = (uint8_t)given->kind};
    switch (given->kind) {
    case BW_OP_DENSE:
        out.val.dense.units = given->of.dense.units;
        out.val.dense.bias = !given->of.dense.without_bias;
        out.val.dense.kernel = glue_initializer(given->of.dense.kernel);
        break;
    case BW_OP_LSTM:
        out.val.lstm = glue_recurrent(&given->of.recurrent);
        break;
    case BW_OP_GRU:
        out.val.gru = glue_recurrent(&given->of.recurrent);
        break;
    case BW_OP_CONV:
        out.val.conv1d = glue_conv(&given->of.conv);
        break;
    case BW_OP_LAYER_NORM:
        out.val.layer_norm = given->of.number;
        break;
    case BW_OP_BATCH_NORM:
        out.val.batch_norm.epsilon = given->of.batch_norm.epsilon;
        out.val.batch_norm.momentum = given->of.batch_norm.momentum;
        break;
    case BW_OP_ATTENTION:
        out.val.attention.heads = given->of.attention.heads;
        out.val.attention.causal = given->of.attention.causal;
        out.val.attention.dropout = given->of.attention.dropout;
        break;
    case BW_OP_POSITIONS:
        out.val.positional_encoding = (uint8_t)given->of.position;
        break;
    case BW_OP_EMBEDDING:
        out.val.embedding.categories = given->of.embedding.categories;
        out.val.embedding.width = given->of.embedding.width;
        break;
    case BW_OP_DROPOUT:
        out.val.dropout = given->of.number;
        break;
    case BW_OP_ACTIVATION:
        out.val.activation = (uint8_t)given->of.activation;
        break;
    case BW_OP_CONCAT:
        out.val.concat = given->of.axis;
        break;
    case BW_OP_SLICE:
        out.val.slice.axis = given->of.slice.axis;
        out.val.slice.start = given->of.slice.start;
        out.val.slice.length = given->of.slice.length;
        break;
    case BW_OP_RESHAPE:
        out.val.reshape.len = given->of.shape.count;
        out.val.reshape.ptr = glue_memory(given->of.shape.count, sizeof(uint32_t));
        for (size_t place = 0; place < given->of.shape.count; place++) {
            out.val.reshape.ptr[place] = given->of.shape.data[place];
        }
        break;
    case BW_OP_POOL:
        out.val.time_pooling = (uint8_t)given->of.pooling;
        break;
    case BW_OP_CUSTOM:
        out.val.custom.name = glue_text_out(given->of.custom.name);
        out.val.custom.attributes = glue_text_out(given->of.custom.attributes);
        break;
    case BW_OP_INPUT:
    case BW_OP_ADD:
    case BW_OP_MULTIPLY:
        break;
    }
    return out;
}

static world_list_f64_t glue_numbers_out(bw_numbers numbers) {
    world_list_f64_t out = {glue_memory(numbers.count, sizeof(double)), numbers.count};
    if (numbers.count > 0) {
        memcpy(out.ptr, numbers.data, numbers.count * sizeof(double));
    }
    return out;
}

static bellwether_nn_network_loss_t glue_loss(const bw_loss *given) {
    bellwether_nn_network_loss_t out = {.tag = (uint8_t)given->kind};
    if (given->kind == BW_HUBER) {
        out.val.huber = given->delta;
    } else if (given->kind == BW_QUANTILE) {
        out.val.quantile = glue_numbers_out(given->numbers);
    } else if (given->kind == BW_CROSS_ENTROPY) {
        out.val.cross_entropy = glue_numbers_out(given->numbers);
    }
    return out;
}

static bellwether_nn_network_optimizer_t glue_optimizer(const bw_training *given) {
    bellwether_nn_network_adam_t adam = {given->beta1, given->beta2, given->epsilon, given->weight_decay};
    bellwether_nn_network_optimizer_t out = {.tag = BELLWETHER_NN_NETWORK_OPTIMIZER_ADAM};
    switch (given->optimizer) {
    case BW_SGD:
        out.tag = BELLWETHER_NN_NETWORK_OPTIMIZER_SGD;
        out.val.sgd = (bellwether_nn_network_sgd_t){given->momentum, given->nesterov, given->weight_decay};
        break;
    case BW_ADAM:
        out.val.adam = adam;
        break;
    case BW_ADAMW:
        out.tag = BELLWETHER_NN_NETWORK_OPTIMIZER_ADAMW;
        out.val.adamw = adam;
        break;
    }
    return out;
}

static bellwether_nn_network_schedule_t glue_schedule(const bw_training *given) {
    bellwether_nn_network_schedule_t out = {.tag = BELLWETHER_NN_NETWORK_SCHEDULE_CONSTANT};
    switch (given->schedule.kind) {
    case BW_CONSTANT:
        break;
    case BW_STEP:
        out.tag = BELLWETHER_NN_NETWORK_SCHEDULE_STEP;
        out.val.step.f0 = given->schedule.count;
        out.val.step.f1 = given->schedule.factor;
        break;
    case BW_COSINE:
        out.tag = BELLWETHER_NN_NETWORK_SCHEDULE_COSINE;
        out.val.cosine = given->schedule.factor;
        break;
    case BW_WARM_UP:
        out.tag = BELLWETHER_NN_NETWORK_SCHEDULE_WARM_UP;
        out.val.warm_up = given->schedule.count;
        break;
    case BW_ONE_CYCLE:
        out.tag = BELLWETHER_NN_NETWORK_SCHEDULE_ONE_CYCLE;
        out.val.one_cycle = given->schedule.factor;
        break;
    case BW_REDUCE_ON_PLATEAU:
        out.tag = BELLWETHER_NN_NETWORK_SCHEDULE_REDUCE_ON_PLATEAU;
        out.val.reduce_on_plateau.f0 = given->schedule.count;
        out.val.reduce_on_plateau.f1 = given->schedule.factor;
        break;
    }
    return out;
}

static bellwether_nn_network_training_t glue_training(const bw_training *given) {
    bellwether_nn_network_training_t out = {
        .epochs = given->epochs,
        .batch_size = given->batch_size,
        .learning_rate = given->learning_rate,
        .optimizer = glue_optimizer(given),
        .schedule = glue_schedule(given),
    };
    out.clip_norm.is_some = given->clip_norm.some;
    out.clip_norm.val = given->clip_norm.value;
    out.early_stopping.is_some = given->patience > 0;
    out.early_stopping.val = (bellwether_nn_network_early_stopping_t){given->patience, given->min_delta, !given->keep_last};
    return out;
}

static bellwether_nn_network_network_t glue_network(const bw_network *net) {
    bellwether_nn_network_network_t out = {.training = glue_training(&net->training)};
    out.nodes.len = net->node_count;
    out.nodes.ptr = glue_memory(net->node_count, sizeof *out.nodes.ptr);
    size_t place = 0;
    for (const bw_network_node *node = net->first; node != NULL; node = node->next, place++) {
        out.nodes.ptr[place].name = glue_text_out(node->name);
        out.nodes.ptr[place].operation = glue_operation(&node->operation);
        out.nodes.ptr[place].inputs.len = node->input_count;
        out.nodes.ptr[place].inputs.ptr = glue_memory(node->input_count, sizeof(uint32_t));
        for (size_t input = 0; input < node->input_count; input++) {
            out.nodes.ptr[place].inputs.ptr[input] = node->inputs[input];
        }
    }
    out.outputs.len = net->output_count;
    out.outputs.ptr = glue_memory(net->output_count, sizeof *out.outputs.ptr);
    place = 0;
    for (const bw_network_output *output = net->outputs; output != NULL; output = output->next, place++) {
        out.outputs.ptr[place].name = glue_text_out(output->name);
        out.outputs.ptr[place].node = output->node;
        out.outputs.ptr[place].loss = glue_loss(&output->loss);
        out.outputs.ptr[place].weight = output->weight;
    }
    return out;
}
