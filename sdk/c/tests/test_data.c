/* Frames and windows of the stand-in answer as the host does, and long ones come whole. */
#include <math.h>

#include "bellwether/data.h"
#include "bellwether/testing/testing.h"

static void test_columns_answer_as_the_host_does(void) {
    const bw_column *column;
    BW_EXPECT_OK(bw_frame_only_column(bw_test_frame_of((double[]){3.0, NAN, 1.0, 2.0}, 4), &column));
    bw_moments moments = bw_column_moments(column);
    BW_EXPECT(bw_column_len(column) == 4 && bw_column_present(column).count == 3 && bw_column_kind_of(column) == BW_NUMERIC);
    BW_EXPECT(moments.count == 3 && moments.missing == 1 && moments.mean == 2.0 && moments.minimum == 1.0 && moments.maximum == 3.0);
    BW_EXPECT_CLOSE(moments.variance, 2.0 / 3.0, 1e-15);
    bw_numbers quantiles = bw_column_quantiles(column, (bw_numbers){(double[]){0.0, 0.25, 1.0, 1.5, NAN}, 5});
    BW_EXPECT(quantiles.data[0] == 1.0 && quantiles.data[1] == 1.5 && quantiles.data[2] == 3.0);
    BW_EXPECT(isnan(quantiles.data[3]) && isnan(quantiles.data[4]));
    uint64_t counts[3];
    bw_column_histogram(column, (bw_numbers){(double[]){1.0, 3.0}, 2}, counts);
    BW_EXPECT(counts[0] == 0 && counts[1] == 2 && counts[2] == 1);
    BW_EXPECT_OK(bw_frame_only_column(bw_test_frame_of(NULL, 0), &column));
    BW_EXPECT(isnan(bw_column_moments(column).mean) && isnan(bw_column_quantiles(column, (bw_numbers){(double[]){0.5}, 1}).data[0]));
}

static void test_a_univariate_frame_has_one_column(void) {
    const bw_column *column;
    bw_test_column two[] = {{"a", BW_NUMERIC, (double[]){1.0}, 1}, {"b", BW_CATEGORICAL, (double[]){2.0}, 1}};
    BW_EXPECT_ERROR(bw_frame_only_column(bw_test_frame(two, 2), &column), BW_INVALID_INPUT, "one column expected, 2 given: a, b");
    BW_EXPECT_ERROR(bw_frame_only_column(bw_test_frame(NULL, 0), &column), BW_INVALID_INPUT, "0 given");
    BW_EXPECT(bw_frame_column(bw_test_frame(two, 2), 2) == NULL);
    BW_EXPECT_TEXT(bw_column_name(bw_frame_column(bw_test_frame(two, 2), 1)), "b");
}

#define LONG 300001

static double numbers[LONG], read[LONG];

static void test_long_columns_come_whole(void) {
    for (size_t place = 0; place < LONG; place++) {
        numbers[place] = (double)place;
    }
    const bw_column *column;
    BW_EXPECT_OK(bw_frame_only_column(bw_test_frame_of(numbers, LONG), &column));
    bw_numbers values = bw_column_values(column);
    BW_EXPECT(values.count == LONG && values.data[LONG - 1] == LONG - 1 && values.data[131072] == 131072.0);
    BW_EXPECT(bw_column_read(column, LONG - 2, 10, read) == 2 && read[1] == LONG - 1);
    BW_EXPECT(bw_column_read(column, LONG, 10, read) == 0 && bw_column_read(column, UINT64_MAX, 10, read) == 0);
}

static void test_windows_come_in_whole_samples(void) {
    /* 5000 samples of 20 steps of 3 features. */
    const bw_windows *windows = bw_test_windows(BW_TEXTS("a", "b", "c"), 20, 5000, numbers, numbers);
    BW_EXPECT(bw_windows_read(windows, 0, 5000, read) == 5000 && read[299999] == 299999.0);
    BW_EXPECT(bw_windows_read(windows, 4999, 10, read) == 1 && read[0] == 299940.0);
    BW_EXPECT(bw_windows_read_last(windows, 0, 5000, read) == 5000 && read[0] == 57.0 && read[3] == 117.0 && read[14999] == 299999.0);
    BW_EXPECT(bw_windows_read_last(windows, 5000, 1, read) == 0);
    bw_numbers targets;
    BW_EXPECT_OK(bw_windows_checked_targets(windows, "training", &targets));
    BW_EXPECT(targets.count == 5000 && targets.data[4999] == 4999.0);
    const bw_windows *bare = bw_test_windows(BW_TEXTS("a"), 1, 2, numbers, NULL);
    BW_EXPECT_ERROR(bw_windows_checked_targets(bare, "training", &targets), BW_INVALID_INPUT, "0 targets for 2 samples");
    const bw_windows *holes = bw_test_windows(BW_TEXTS("a"), 1, 2, numbers, (double[]){1.0, NAN});
    BW_EXPECT_ERROR(bw_windows_checked_targets(holes, "validation", &targets), BW_INVALID_INPUT, "validation sample 1");
}

static void test_draws_repeat(void) {
    double first[1000], second[1000], sum = 0.0, squares = 0.0;
    bw_test_seed(9);
    bw_random_normal(first, 1000);
    bw_test_seed(9);
    bw_random_normal(second, 1000);
    bool same = true;
    for (size_t place = 0; place < 1000; place++) {
        same = same && first[place] == second[place];
        sum += first[place];
        squares += first[place] * first[place];
    }
    BW_EXPECT(same && fabs(sum / 1000.0) < 0.1 && fabs(squares / 1000.0 - 1.0) < 0.15);
    bw_random_uniform(first, 1000);
    for (size_t place = 0; place < 1000; place++) {
        same = same && first[place] >= 0.0 && first[place] < 1.0;
    }
    BW_EXPECT(same);
}

static void test_the_rest_of_the_host(void) {
    bw_log(BW_LOG_WARN, "%d of %s", 3, "five");
    BW_EXPECT_TEXT(bw_text_of(bw_test_log()), "warn: 3 of five\n");
    bw_test_now_ms(-5);
    BW_EXPECT(bw_now_ms() == -5);
    bw_text value;
    bw_test_secret("token", "one");
    BW_EXPECT(bw_secret("token", &value) && !bw_secret("other", &value));
    bw_test_secret("token", NULL);
    BW_EXPECT(!bw_secret("token", &value));
    bw_test_stop_after(1);
    BW_EXPECT(bw_progress(1, 2, 0.5, NAN) && !bw_progress(2, 2, 0.5, NAN) && bw_test_reports() == 2);
    bw_test_reset();
    BW_EXPECT_TEXT(bw_text_of(bw_test_log()), "");
}

int main(void) {
    test_columns_answer_as_the_host_does();
    test_a_univariate_frame_has_one_column();
    test_long_columns_come_whole();
    test_windows_come_in_whole_samples();
    test_draws_repeat();
    test_the_rest_of_the_host();
    return bw_test_result();
}
