/* Reading many numbers through a host that gives a bounded number at a time. */
#include <math.h>

#include "data_source.h"

/* Numbers asked for in one call: half of what the host allows, half a megabyte. */
#define CHUNK (BW_READ_LIMIT / 2)

/* A count as a size. One that does not fit asks for more memory than there is, which is the same end. */
static size_t narrow(uint64_t count) {
    return count > SIZE_MAX ? SIZE_MAX : (size_t)count;
}

const bw_error *bw_frame_only_column(const bw_frame *frame, const bw_column **column) {
    bw_texts names = bw_frame_names(frame);
    *column = bw_frame_column(frame, 0);
    if (names.count != 1 || *column == NULL) {
        return bw_invalid_input("one column expected, %zu given: %s", names.count, bw_text_join(names, ", ").data);
    }
    return NULL;
}

size_t bw_column_read(const bw_column *column, uint64_t offset, size_t count, double *values) {
    size_t done = 0;
    while (done < count) {
        size_t wanted = count - done < CHUNK ? count - done : CHUNK;
        size_t got = bw_source_column(column, offset + done, (uint32_t)wanted, values + done, count - done);
        if (got == 0) {
            break;
        }
        done += got;
    }
    return done;
}

bw_numbers bw_column_values(const bw_column *column) {
    size_t length = narrow(bw_column_len(column));
    double *values = bw_alloc_numbers(length);
    return (bw_numbers){values, bw_column_read(column, 0, length, values)};
}

bw_numbers bw_column_present(const bw_column *column) {
    size_t length = narrow(bw_column_len(column));
    double *values = bw_alloc_numbers(length);
    size_t read = bw_column_read(column, 0, length, values), kept = 0;
    for (size_t place = 0; place < read; place++) {
        if (!isnan(values[place])) {
            values[kept++] = values[place];
        }
    }
    return (bw_numbers){values, kept};
}

/* Reads samples of `width` numbers each, whole samples at a time, and returns how many came. */
static size_t read_samples(const bw_windows *windows, bw_windows_part part, size_t width, uint64_t offset, size_t count, double *values) {
    size_t done = 0, at_once = width > 0 && width < CHUNK ? CHUNK / width : 1;
    while (width > 0 && done < count) {
        size_t wanted = count - done < at_once ? count - done : at_once;
        size_t got = bw_source_windows(windows, part, offset + done, (uint32_t)wanted, values + done * width, (count - done) * width);
        if (got < width) {
            break;
        }
        done += got / width;
    }
    return done;
}

size_t bw_windows_read(const bw_windows *windows, uint64_t offset, size_t count, double *values) {
    size_t width = bw_windows_features(windows).count * bw_windows_steps(windows);
    return read_samples(windows, BW_READ_WINDOWS, width, offset, count, values);
}

size_t bw_windows_read_last(const bw_windows *windows, uint64_t offset, size_t count, double *values) {
    return read_samples(windows, BW_READ_LAST, bw_windows_features(windows).count, offset, count, values);
}

bw_numbers bw_windows_targets(const bw_windows *windows) {
    size_t samples = narrow(bw_windows_samples(windows));
    double *targets = bw_alloc_numbers(samples);
    return (bw_numbers){targets, read_samples(windows, BW_READ_TARGETS, 1, 0, samples, targets)};
}

const bw_error *bw_windows_checked_targets(const bw_windows *windows, const char *part, bw_numbers *targets) {
    *targets = bw_windows_targets(windows);
    uint64_t samples = bw_windows_samples(windows);
    if (targets->count != samples) {
        return bw_invalid_input("the %s part has %zu targets for %llu samples", part, targets->count, (unsigned long long)samples);
    }
    for (size_t place = 0; place < targets->count; place++) {
        if (!isfinite(targets->data[place])) {
            return bw_invalid_input("the target of %s sample %zu is %g: it must be finite", part, place, targets->data[place]);
        }
    }
    return NULL;
}
