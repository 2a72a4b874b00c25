/* A network layer by layer: each function adds one operation and returns the node to go on from.
 *
 *     bw_network *net = bw_network_new();
 *     bw_node x = bw_net_lstm(net, bw_net_input(net), (bw_recurrent){.units = 64});
 *     bw_net_output(net, "prediction", bw_net_dense(net, x, 1), bw_loss_of(BW_MSE));
 *     *plan = bw_plan_network(net);
 *
 * The zero of every option is the usual choice, so a designated initialiser names only what differs. Shapes leave the batch
 * out: a sequence is [time, features], a vector [features]. The host checks them when it takes the plan.
 */
#ifndef BELLWETHER_NETWORK_H
#define BELLWETHER_NETWORK_H

#include "error.h"

/* Place of a node in the network. */
typedef uint32_t bw_node;

typedef enum {
    /* The operation's own: glorot-uniform, for a recurrent kernel orthogonal. */
    BW_INIT_STANDARD,
    BW_INIT_ZEROS,
    BW_INIT_ONES,
    /* `value` everywhere; uniform in ±`value`; normal with deviation `value`. */
    BW_INIT_CONSTANT,
    BW_INIT_UNIFORM,
    BW_INIT_NORMAL,
    BW_INIT_GLOROT_UNIFORM,
    BW_INIT_GLOROT_NORMAL,
    BW_INIT_HE_UNIFORM,
    BW_INIT_HE_NORMAL,
    BW_INIT_LECUN_UNIFORM,
    BW_INIT_LECUN_NORMAL,
    /* How PyTorch begins dense and convolutional layers. */
    BW_INIT_FAN_IN_UNIFORM,
    /* Normal with deviation `value`; what falls beyond two of them is drawn again. */
    BW_INIT_TRUNCATED_NORMAL,
    BW_INIT_ORTHOGONAL,
} bw_initializer_kind;

/* How weights begin. */
typedef struct {
    bw_initializer_kind kind;
    double value;
} bw_initializer;

typedef struct {
    uint32_t units;
    bool without_bias;
    bw_initializer kernel;
} bw_dense;

typedef struct {
    uint32_t units;
    /* Stacked layers of the same width; 0 stands for 1. */
    uint32_t layers;
    bool bidirectional;
    /* Give the state at every step, for another layer over time, not only the last. */
    bool sequences;
    bw_initializer kernel;
    bw_initializer recurrent_kernel;
} bw_recurrent;

typedef struct {
    uint32_t filters;
    uint32_t kernel_size;
    /* 0 stands for 1 in both. */
    uint32_t stride;
    uint32_t dilation;
    /* No padding: fewer steps come out than go in. Else causal, padded on the left. */
    bool valid;
    bool without_bias;
    bw_initializer kernel;
} bw_conv;

typedef enum { BW_SINUSOIDAL, BW_LEARNED } bw_position;
typedef enum { BW_RELU, BW_GELU, BW_SILU, BW_TANH, BW_SIGMOID, BW_SOFTPLUS, BW_SOFTMAX } bw_activation;
typedef enum { BW_POOL_LAST, BW_POOL_MEAN, BW_POOL_MAX, BW_POOL_ATTENTION } bw_pooling;

typedef enum {
    BW_OP_INPUT,
    BW_OP_DENSE,
    BW_OP_LSTM,
    BW_OP_GRU,
    BW_OP_CONV,
    BW_OP_LAYER_NORM,
    BW_OP_BATCH_NORM,
    BW_OP_ATTENTION,
    BW_OP_POSITIONS,
    BW_OP_EMBEDDING,
    BW_OP_DROPOUT,
    BW_OP_ACTIVATION,
    BW_OP_ADD,
    BW_OP_MULTIPLY,
    BW_OP_CONCAT,
    BW_OP_SLICE,
    BW_OP_RESHAPE,
    BW_OP_POOL,
    BW_OP_CUSTOM,
} bw_operation_kind;

/* What a node does; the members after `kind` belong to the kinds they name. */
typedef struct {
    bw_operation_kind kind;
    union {
        bw_dense dense;
        bw_recurrent recurrent;
        bw_conv conv;
        /* Layer norm: what is added to the variance. Dropout: the share. */
        double number;
        struct {
            double epsilon, momentum;
        } batch_norm;
        struct {
            uint32_t heads;
            bool causal;
            double dropout;
        } attention;
        bw_position position;
        struct {
            uint32_t categories, width;
        } embedding;
        bw_activation activation;
        /* Concat: the axis. */
        uint32_t axis;
        struct {
            uint32_t axis, start, length;
        } slice;
        struct {
            const uint32_t *data;
            size_t count;
        } shape;
        bw_pooling pooling;
        struct {
            bw_text name, attributes;
        } custom;
    } of;
} bw_operation;

typedef struct bw_network_node bw_network_node;
struct bw_network_node {
    bw_text name;
    bw_operation operation;
    const bw_node *inputs;
    size_t input_count;
    bw_network_node *next;
};

typedef enum {
    BW_MSE,
    BW_MAE,
    /* Quadratic within ±`delta`. */
    BW_HUBER,
    /* Pinball loss at each of `numbers`. */
    BW_QUANTILE,
    BW_GAUSSIAN_NLL,
    /* Binary cross-entropy of a logit. */
    BW_BCE,
    /* Cross-entropy of logits; `numbers` are weights per class, none for equal ones. */
    BW_CROSS_ENTROPY,
} bw_loss_kind;

/* What training makes small. */
typedef struct {
    bw_loss_kind kind;
    double delta;
    bw_numbers numbers;
} bw_loss;

/* A loss without numbers of its own. */
static inline bw_loss bw_loss_of(bw_loss_kind kind) {
    return (bw_loss){.kind = kind};
}

typedef struct bw_network_output bw_network_output;
struct bw_network_output {
    bw_text name;
    bw_node node;
    bw_loss loss;
    double weight;
    bw_network_output *next;
};

typedef enum { BW_SGD, BW_ADAM, BW_ADAMW } bw_optimizer_kind;

typedef enum {
    BW_CONSTANT,
    /* Times `factor` every `count` epochs. */
    BW_STEP,
    /* Half a cosine down to `factor` of the start. */
    BW_COSINE,
    /* Linear from zero over `count` steps. */
    BW_WARM_UP,
    /* Up over `factor` of all steps and down again. */
    BW_ONE_CYCLE,
    /* Times `factor` after `count` epochs without a better validation loss. */
    BW_REDUCE_ON_PLATEAU,
} bw_schedule_kind;

/* How the network is trained unless the job says otherwise. */
typedef struct {
    uint32_t epochs;
    uint32_t batch_size;
    double learning_rate;
    bw_optimizer_kind optimizer;
    /* For BW_SGD. */
    double momentum;
    bool nesterov;
    /* For BW_ADAM and BW_ADAMW. */
    double beta1, beta2, epsilon;
    double weight_decay;
    struct {
        bw_schedule_kind kind;
        uint32_t count;
        double factor;
    } schedule;
    /* Most norm of all gradients together; none for no bound. */
    bw_optional clip_norm;
    /* Epochs without improvement by `min_delta` to wait before stopping; 0 for never. */
    uint32_t patience;
    double min_delta;
    /* Return the weights of the last epoch, not of the best. */
    bool keep_last;
} bw_training;

typedef struct {
    bw_network_node *first;
    bw_network_output *outputs;
    bw_training training;
    uint32_t node_count;
    uint32_t output_count;
} bw_network;

/* An empty network, trained for at most 100 epochs in batches of 32 by Adam (rate 0.001, decays 0.9 and 0.999, epsilon 1e-8),
 * gradients cut at norm 1, stopped after 10 epochs without improvement. Change `training` as you like. */
bw_network *bw_network_new(void);

/* The feature window, [time, features]. */
bw_node bw_net_input(bw_network *net);
/* x·W + b over the last axis; `bw_net_dense_with` takes all options. */
bw_node bw_net_dense(bw_network *net, bw_node x, uint32_t units);
bw_node bw_net_dense_with(bw_network *net, bw_node x, bw_dense layer);
bw_node bw_net_lstm(bw_network *net, bw_node x, bw_recurrent layer);
bw_node bw_net_gru(bw_network *net, bw_node x, bw_recurrent layer);
bw_node bw_net_conv(bw_network *net, bw_node x, bw_conv layer);
/* Over the last axis; `epsilon` is added to the variance, usually 1e-5. */
bw_node bw_net_layer_norm(bw_network *net, bw_node x, double epsilon);
/* Over the batch; `momentum` is the share of the running statistics that each step keeps (1 minus PyTorch's). */
bw_node bw_net_batch_norm(bw_network *net, bw_node x, double epsilon, double momentum);
bw_node bw_net_attention(bw_network *net, bw_node x, uint32_t heads, bool causal, double dropout);
bw_node bw_net_positions(bw_network *net, bw_node x, bw_position position);
/* A vector per category: [time] or [] of whole numbers to [.., width]. */
bw_node bw_net_embedding(bw_network *net, bw_node x, uint32_t categories, uint32_t width);
bw_node bw_net_dropout(bw_network *net, bw_node x, double share);
bw_node bw_net_activation(bw_network *net, bw_node x, bw_activation function);
/* Sum and element-wise product of two values of one shape. */
bw_node bw_net_add(bw_network *net, bw_node x, bw_node y);
bw_node bw_net_multiply(bw_network *net, bw_node x, bw_node y);
/* Values joined along an axis, from 0; the batch is not counted. */
bw_node bw_net_concat(bw_network *net, const bw_node *values, size_t count, uint32_t axis);
bw_node bw_net_slice(bw_network *net, bw_node x, uint32_t axis, uint32_t start, uint32_t length);
bw_node bw_net_reshape(bw_network *net, bw_node x, const uint32_t *shape, size_t count);
/* A sequence made a vector. */
bw_node bw_net_pool(bw_network *net, bw_node x, bw_pooling pooling);
/* Any operation, also a sum of more than two. Its name in the network is `kind` with a number. */
bw_node bw_net_operation(bw_network *net, const char *kind, bw_operation operation, const bw_node *inputs, size_t count);

/* Gives a node a name of its own: lower-case letters, digits, `-`, `_`, `.`; unique in the network. */
void bw_net_name(bw_network *net, bw_node node, const char *name);
/* Makes a node, a vector, a result of the network that training brings near the target. */
void bw_net_output(bw_network *net, const char *name, bw_node node, bw_loss loss);
/* The same with a share in the total loss, above 0. */
void bw_net_weighted_output(bw_network *net, const char *name, bw_node node, bw_loss loss, double weight);

#endif
