/* A detector that sees one value after another (kind `drift-detector`). Its state travels as bytes, so it survives restarts.
 *
 *     const bw_drift_detector bw_drift_detector_plugin = {.plugin = {...}, .start = start, .update = update};
 */
#ifndef BELLWETHER_DRIFT_DETECTOR_H
#define BELLWETHER_DRIFT_DETECTOR_H

#include "plugin.h"

/* How sure the detector is. */
typedef enum { BW_EVENT_WARNING, BW_EVENT_DRIFT } bw_event_severity;

/* Something happened at one value. */
typedef struct {
    /* Place of the value in the list given to `update`, from 0. */
    uint32_t index;
    bw_event_severity severity;
    /* The statistic that crossed its bound. */
    double statistic;
} bw_event;

/* The detector after some values. */
typedef struct {
    /* The state to pass to the next `update`. */
    bw_bytes state;
    /* What happened, in order of `index`; `bw_advance_add` appends. */
    bw_buffer events;
} bw_advance;

/* Appends an event. */
void bw_advance_add(bw_advance *advance, bw_event event);

/* Number of events so far. */
size_t bw_advance_count(const bw_advance *advance);

/* The event at a place below the count. */
bw_event bw_advance_event(const bw_advance *advance, size_t place);

typedef struct {
    bw_plugin plugin;
    /* The state before any value. */
    const bw_error *(*start)(const bw_json *config, bw_bytes *state);
    /* Takes some values in order. Splitting a list over several calls must give the same events. */
    const bw_error *(*update)(bw_bytes state, bw_numbers values, const bw_json *config, bw_advance *advance);
} bw_drift_detector;

/* The plugin; it defines this. */
extern const bw_drift_detector bw_drift_detector_plugin;

#endif
