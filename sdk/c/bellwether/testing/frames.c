/* Frames and windows in memory, clipped and answering as the host does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../data_source.h"
#include "testing.h"

struct bw_column {
    bw_text name;
    bw_column_kind kind;
    bw_numbers values;
};

struct bw_frame {
    bw_column *columns;
    size_t count;
};

struct bw_windows {
    bw_texts features;
    uint32_t steps;
    size_t samples;
    bw_numbers values;
    bw_numbers targets;
};

const bw_frame *bw_test_frame(const bw_test_column *columns, size_t count) {
    bw_frame *frame = bw_alloc(sizeof *frame);
    *frame = (bw_frame){bw_alloc_array(count, sizeof(bw_column)), count};
    for (size_t place = 0; place < count; place++) {
        const bw_test_column *given = &columns[place];
        bw_numbers values = bw_numbers_copy(given->values, given->count);
        frame->columns[place] = (bw_column){bw_text_of(given->name), given->kind, values};
    }
    return frame;
}

const bw_frame *bw_test_frame_of(const double *values, size_t count) {
    return bw_test_frame(&(bw_test_column){"x", BW_NUMERIC, values, count}, 1);
}

uint64_t bw_frame_rows(const bw_frame *frame) {
    return frame->count > 0 ? frame->columns[0].values.count : 0;
}

bw_texts bw_frame_names(const bw_frame *frame) {
    bw_text *names = bw_alloc_array(frame->count, sizeof *names);
    for (size_t place = 0; place < frame->count; place++) {
        names[place] = frame->columns[place].name;
    }
    return (bw_texts){names, frame->count};
}

const bw_column *bw_frame_column(const bw_frame *frame, uint32_t place) {
    return place < frame->count ? &frame->columns[place] : NULL;
}

bw_text bw_column_name(const bw_column *column) {
    return column->name;
}

bw_column_kind bw_column_kind_of(const bw_column *column) {
    return column->kind;
}

uint64_t bw_column_len(const bw_column *column) {
    return column->values.count;
}

/* Copies numbers `first .. first + count` of what there is, at most the host's limit, in multiples of `width`. */
static size_t copy(bw_numbers from, size_t width, uint64_t offset, uint32_t count, double *values, size_t room) {
    size_t first = offset > from.count / width ? from.count : (size_t)offset * width;
    size_t wanted = (size_t)count * width, limit = BW_READ_LIMIT / width * width;
    wanted = wanted < from.count - first ? wanted : from.count - first;
    wanted = wanted < limit ? wanted : limit;
    wanted = wanted < room ? wanted : room / width * width;
    if (wanted > 0) {
        memcpy(values, from.data + first, wanted * sizeof(double));
    }
    return wanted;
}

size_t bw_source_column(const bw_column *column, uint64_t offset, uint32_t count, double *values, size_t room) {
    return copy(column->values, 1, offset, count, values, room);
}

bw_moments bw_column_moments(const bw_column *column) {
    bw_numbers present = bw_column_present(column);
    bw_moments moments = {.count = present.count, .missing = column->values.count - present.count};
    moments.mean = moments.variance = moments.minimum = moments.maximum = NAN;
    if (present.count == 0) {
        return moments;
    }
    double sum = 0.0, squares = 0.0;
    moments.minimum = moments.maximum = present.data[0];
    for (size_t place = 0; place < present.count; place++) {
        sum += present.data[place];
        moments.minimum = fmin(moments.minimum, present.data[place]);
        moments.maximum = fmax(moments.maximum, present.data[place]);
    }
    moments.mean = sum / (double)present.count;
    for (size_t place = 0; place < present.count; place++) {
        squares += (present.data[place] - moments.mean) * (present.data[place] - moments.mean);
    }
    moments.variance = squares / (double)present.count;
    return moments;
}

static int ascending(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

bw_numbers bw_column_quantiles(const bw_column *column, bw_numbers probabilities) {
    bw_numbers present = bw_column_present(column);
    qsort((double *)present.data, present.count, sizeof(double), ascending);
    double *quantiles = bw_alloc_numbers(probabilities.count);
    for (size_t place = 0; place < probabilities.count; place++) {
        double p = probabilities.data[place];
        if (present.count == 0 || !(p >= 0.0 && p <= 1.0)) {
            quantiles[place] = NAN;
            continue;
        }
        double position = p * (double)(present.count - 1);
        size_t below = (size_t)position, above = below + 1 < present.count ? below + 1 : below;
        double share = position - (double)below;
        quantiles[place] = present.data[below] + share * (present.data[above] - present.data[below]);
    }
    return (bw_numbers){quantiles, probabilities.count};
}

void bw_column_histogram(const bw_column *column, bw_numbers edges, uint64_t *counts) {
    memset(counts, 0, (edges.count + 1) * sizeof *counts);
    bw_numbers present = bw_column_present(column);
    for (size_t place = 0; place < present.count; place++) {
        size_t bin = 0;
        while (bin < edges.count && present.data[place] >= edges.data[bin]) {
            bin++;
        }
        counts[bin]++;
    }
}

const bw_windows *bw_test_windows(bw_texts features, uint32_t steps, size_t samples, const double *values, const double *targets) {
    bw_windows *windows = bw_alloc(sizeof *windows);
    *windows = (bw_windows){
        .features = features,
        .steps = steps,
        .samples = samples,
        .values = bw_numbers_copy(values, samples * steps * features.count),
        .targets = bw_numbers_copy(targets, targets == NULL ? 0 : samples),
    };
    return windows;
}

uint64_t bw_windows_samples(const bw_windows *windows) {
    return windows->samples;
}

uint32_t bw_windows_steps(const bw_windows *windows) {
    return windows->steps;
}

bw_texts bw_windows_features(const bw_windows *windows) {
    return windows->features;
}

size_t bw_source_windows(const bw_windows *windows, bw_windows_part part, uint64_t offset, uint32_t count, double *values, size_t room) {
    size_t features = windows->features.count, window = features * windows->steps;
    if (part == BW_READ_TARGETS) {
        return copy(windows->targets, 1, offset, count, values, room);
    }
    if (window == 0) {
        return 0;
    }
    if (part == BW_READ_WINDOWS) {
        return copy(windows->values, window, offset, count, values, room);
    }
    size_t done = 0;
    while (done < count && offset + done < windows->samples && (done + 1) * features <= room) {
        const double *last = windows->values.data + ((size_t)offset + done + 1) * window - features;
        memcpy(values + done * features, last, features * sizeof(double));
        done++;
    }
    return done * features;
}
