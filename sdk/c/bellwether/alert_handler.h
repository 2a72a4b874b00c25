/* Carries alerts to where people see them (kind `alert-handler`).
 *
 *     const bw_alert_handler bw_alert_handler_plugin = {.plugin = {...}, .handle = handle};
 */
#ifndef BELLWETHER_ALERT_HANDLER_H
#define BELLWETHER_ALERT_HANDLER_H

#include "http.h"
#include "plugin.h"

/* How bad it is. */
typedef enum { BW_INFO, BW_WARNING, BW_CRITICAL } bw_severity;

/* Where the alert is in its life. */
typedef enum { BW_FIRING, BW_RESOLVED } bw_phase;

/* Something that tells alerts of one condition apart. */
typedef struct {
    bw_text name;
    bw_text value;
} bw_label;

/* One alert, as it stands now. */
typedef struct {
    /* Stays the same over retries of one delivery: receivers use it to drop repeats. */
    bw_text idempotency_key;
    bw_text id;
    /* The condition that holds, for example `data-drift`. */
    bw_text condition;
    bw_severity severity;
    bw_phase phase;
    /* One sentence for a person. */
    bw_text summary;
    /* The model version and the symbol concerned; `data` is NULL for none. */
    bw_text model_id;
    bw_text symbol;
    /* When it started firing, milliseconds since 1970-01-01T00:00:00Z. */
    int64_t started_at_ms;
    const bw_label *labels;
    size_t label_count;
    /* Measurements behind it, a JSON object. */
    bw_text detail;
} bw_alert;

/* The contract's words: `info`, `warning`, `critical`; `firing`, `resolved`. */
const char *bw_severity_word(bw_severity severity);
const char *bw_phase_word(bw_phase phase);

/* A moment as text: RFC 3339, UTC, with milliseconds. */
bw_text bw_rfc3339(int64_t ms);

/* The alert as a JSON object: every member by its name, `started_at` as RFC 3339, labels as an object, `detail` as it is. */
bw_text bw_alert_json(const bw_alert *alert);

typedef struct {
    bw_plugin plugin;
    /* Delivers one alert. The host tries again later, with the same key, on BW_TRANSIENT only. */
    const bw_error *(*handle)(const bw_alert *alert, const bw_json *config);
} bw_alert_handler;

/* The plugin; it defines this. */
extern const bw_alert_handler bw_alert_handler_plugin;

#endif
