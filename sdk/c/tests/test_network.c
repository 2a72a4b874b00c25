/* Networks are named and wired; plans, ranges and tasks say what they were told. */
#include "bellwether/model.h"
#include "bellwether/testing/testing.h"

static void test_layers_are_named_and_wired(void) {
    bw_network *net = bw_network_new();
    bw_node x = bw_net_input(net);
    bw_node a = bw_net_lstm(net, x, (bw_recurrent){.units = 8, .sequences = true});
    bw_node b = bw_net_lstm(net, a, (bw_recurrent){.units = 8, .sequences = true});
    bw_node head = bw_net_dense(net, bw_net_add(net, a, b), 1);
    bw_net_name(net, head, "head");
    bw_net_output(net, "prediction", head, bw_loss_of(BW_MSE));
    BW_EXPECT_TEXT(bw_test_outline(net), "input\nlstm_1(8) <- input\nlstm_2(8) <- lstm_1\nadd_1 <- lstm_1, lstm_2\nhead(1) <- add_1\n");
    BW_EXPECT(net->outputs->node == 4 && net->outputs->weight == 1.0 && net->output_count == 1 && net->node_count == 5);
    BW_EXPECT(net->training.optimizer == BW_ADAM && net->training.learning_rate == 0.001 && net->training.patience == 10);
}

static void test_every_operation_has_a_function(void) {
    bw_network *net = bw_network_new();
    bw_node window = bw_net_input(net), hour = bw_net_slice(net, window, 1, 0, 1);
    hour = bw_net_embedding(net, bw_net_reshape(net, hour, (uint32_t[]){60}, 1), 24, 8);
    bw_node x = bw_net_dense_with(net, window, (bw_dense){.units = 8, .without_bias = true, .kernel = {BW_INIT_HE_UNIFORM, 0}});
    bw_node branch = bw_net_conv(net, x, (bw_conv){.filters = 8, .kernel_size = 3, .dilation = 2});
    branch = bw_net_activation(net, bw_net_batch_norm(net, branch, 1e-5, 0.9), BW_SILU);
    x = bw_net_add(net, x, branch);
    x = bw_net_positions(net, x, BW_SINUSOIDAL);
    x = bw_net_layer_norm(net, bw_net_attention(net, x, 4, true, 0.1), 1e-5);
    x = bw_net_concat(net, (bw_node[]){x, hour}, 2, 1);
    x = bw_net_gru(net, bw_net_dropout(net, x, 0.2), (bw_recurrent){.units = 16, .sequences = true});
    x = bw_net_multiply(net, x, x);
    bw_operation custom = {BW_OP_CUSTOM, {.custom = {bw_text_of("spline"), bw_text_of("{}")}}};
    x = bw_net_operation(net, "spline", custom, &x, 1);
    x = bw_net_pool(net, x, BW_POOL_ATTENTION);
    bw_net_output(net, "prediction", bw_net_dense(net, x, 1), bw_loss_of(BW_MSE));
    BW_EXPECT_TEXT(bw_test_outline(net),
                   "input\nslice_1 <- input\nreshape_1 <- slice_1\nembedding_1 <- reshape_1\ndense_1(8) <- input\nconv_1(8) <- dense_1\n"
                   "batch_norm_1 <- conv_1\nactivation_1(silu) <- batch_norm_1\nadd_1 <- dense_1, activation_1\npositions_1 <- add_1\n"
                   "attention_1 <- positions_1\nlayer_norm_1 <- attention_1\nconcat_1 <- layer_norm_1, embedding_1\n"
                   "dropout_1(0.2) <- concat_1\ngru_1(16) <- dropout_1\nmultiply_1 <- gru_1, gru_1\nspline_1 <- multiply_1\n"
                   "pool_1 <- spline_1\ndense_2(1) <- pool_1\n");
}

static void test_ranges_and_tasks(void) {
    bw_hyper_parameter choice = bw_tune_choice("kernel", BW_JSON(["a", 2, null]));
    BW_EXPECT_TEXT(bw_text_join(choice.choices, " "), "\"a\" 2 null");
    bw_hyper_parameter whole = bw_tune_whole_log("units", 1, 64);
    BW_EXPECT(whole.kind == BW_RANGE_WHOLE && whole.log && whole.low == 1.0 && whole.high == 64.0);
    BW_EXPECT(!bw_tune_real("a", 0.5, 1.0).log && bw_tune_real_log("a", 0.5, 1.0).log);
    bw_task task;
    BW_EXPECT_OK(bw_task_of((bw_numbers){(double[]){0, 1, 1}, 3}, &task));
    BW_EXPECT(task == BW_BINARY);
    BW_EXPECT_OK(bw_task_of((bw_numbers){(double[]){0, 1.5}, 2}, &task));
    BW_EXPECT(task == BW_REGRESSION);
    BW_EXPECT_ERROR(bw_task_of((bw_numbers){(double[]){2, 2}, 2}, &task), BW_INVALID_INPUT, "nothing to learn");
    BW_EXPECT_ERROR(bw_task_of((bw_numbers){0}, &task), BW_INVALID_INPUT, "all 0");
}

int main(void) {
    test_layers_are_named_and_wired();
    test_every_operation_has_a_function();
    test_ranges_and_tasks();
    return bw_test_result();
}
