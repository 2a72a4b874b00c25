/* Events of a detector, in a growing list. */
#include "drift_detector.h"

void bw_advance_add(bw_advance *advance, bw_event event) {
    bw_buffer_add(&advance->events, &event, sizeof event);
}

size_t bw_advance_count(const bw_advance *advance) {
    return advance->events.count / sizeof(bw_event);
}

bw_event bw_advance_event(const bw_advance *advance, size_t place) {
    return ((const bw_event *)(const void *)advance->events.data)[place];
}
