/* Windows and progress, for models that fit themselves. Included once by a world's file. */
#include "../data_source.h"
#include "take.h"

/* Features and steps are asked for at every read, so they are kept. */
struct bw_windows {
    bellwether_host_data_borrow_windows_t borrowed;
    bw_texts features;
    uint32_t steps;
};

static bw_windows *glue_windows(bellwether_host_data_borrow_windows_t borrowed) {
    bw_windows *windows = bw_alloc(sizeof *windows);
    world_list_string_t features;
    bellwether_host_data_method_windows_features(borrowed, &features);
    uint32_t steps = bellwether_host_data_method_windows_steps(borrowed);
    *windows = (bw_windows){borrowed, glue_texts_in(features.ptr, features.len), steps};
    return windows;
}

uint64_t bw_windows_samples(const bw_windows *windows) {
    return bellwether_host_data_method_windows_samples(windows->borrowed);
}

uint32_t bw_windows_steps(const bw_windows *windows) {
    return windows->steps;
}

bw_texts bw_windows_features(const bw_windows *windows) {
    return windows->features;
}

size_t bw_source_windows(const bw_windows *windows, bw_windows_part part, uint64_t offset, uint32_t count, double *values, size_t room) {
    world_list_f64_t list;
    switch (part) {
    case BW_READ_WINDOWS:
        bellwether_host_data_method_windows_read(windows->borrowed, offset, count, &list);
        break;
    case BW_READ_LAST:
        bellwether_host_data_method_windows_read_last(windows->borrowed, offset, count, &list);
        break;
    case BW_READ_TARGETS:
        bellwether_host_data_method_windows_targets(windows->borrowed, offset, count, &list);
        break;
    }
    return glue_take(&list, values, room);
}

bool bw_progress(uint32_t done, uint32_t total, double train_loss, double validation_loss) {
    return bellwether_host_progress_report(done, total, train_loss, validation_loss) == BELLWETHER_HOST_PROGRESS_WISH_PROCEED;
}
