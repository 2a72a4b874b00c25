/* Numbers the host owns: columns, frames of columns, windows.
 *
 * They are read in pieces into memory of the plugin. The aggregates (moments, quantiles, histogram) are computed by the host
 * without the numbers crossing at all: ask for them first. All of these are good for one call only.
 */
#ifndef BELLWETHER_DATA_H
#define BELLWETHER_DATA_H

#include "error.h"

typedef struct bw_column bw_column;
typedef struct bw_frame bw_frame;
typedef struct bw_windows bw_windows;

/* What the numbers of a column mean. NaN is a missing value in both. */
typedef enum { BW_NUMERIC, BW_CATEGORICAL } bw_column_kind;

/* Sums over the present values of a column. Without any, `mean` to `maximum` are NaN. */
typedef struct {
    uint64_t count;
    uint64_t missing;
    double mean;
    /* Population variance: divides by `count`. */
    double variance;
    double minimum;
    double maximum;
} bw_moments;

/* Columns of one length. */
uint64_t bw_frame_rows(const bw_frame *frame);
bw_texts bw_frame_names(const bw_frame *frame);
/* The column at a place in `names`; NULL past the end. */
const bw_column *bw_frame_column(const bw_frame *frame, uint32_t place);
/* The column of a univariate test. Errors: BW_INVALID_INPUT when there is not exactly one. */
const bw_error *bw_frame_only_column(const bw_frame *frame, const bw_column **column);

bw_text bw_column_name(const bw_column *column);
bw_column_kind bw_column_kind_of(const bw_column *column);
uint64_t bw_column_len(const bw_column *column);
/* Reads rows `offset .. offset + count` into `values` and returns how many there were. */
size_t bw_column_read(const bw_column *column, uint64_t offset, size_t count, double *values);
/* All rows. */
bw_numbers bw_column_values(const bw_column *column);
/* All values that are not missing. */
bw_numbers bw_column_present(const bw_column *column);
bw_moments bw_column_moments(const bw_column *column);
/* Quantiles of the present values by linear interpolation (type 7), one per probability in [0, 1]; NaN for a column without
 * values and for a probability outside. */
bw_numbers bw_column_quantiles(const bw_column *column, bw_numbers probabilities);
/* Counts of present values between ascending edges: n edges fill n + 1 counts, the first below `edges[0]`; a value on an edge
 * counts to the bin on its right. */
void bw_column_histogram(const bw_column *column, bw_numbers edges, uint64_t *counts);

/* Model inputs: samples of `steps` time steps of features, and one target each. */
uint64_t bw_windows_samples(const bw_windows *windows);
uint32_t bw_windows_steps(const bw_windows *windows);
bw_texts bw_windows_features(const bw_windows *windows);
/* Reads samples `offset .. offset + count`, row-major [sample, step, feature], into `values` and returns how many samples there
 * were. Scaled as the host scales a network's inputs when the plan said so, else raw. */
size_t bw_windows_read(const bw_windows *windows, uint64_t offset, size_t count, double *values);
/* The same with only the last step of each window, [sample, feature]. */
size_t bw_windows_read_last(const bw_windows *windows, uint64_t offset, size_t count, double *values);
/* All targets; none when predicting. */
bw_numbers bw_windows_targets(const bw_windows *windows);
/* All targets, one finite number a sample; `part` names the windows in the error, BW_INVALID_INPUT. */
const bw_error *bw_windows_checked_targets(const bw_windows *windows, const char *part, bw_numbers *targets);

#endif
