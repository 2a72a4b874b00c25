/* An alert as a JSON document. */
#include "alert_handler.h"

const char *bw_severity_word(bw_severity severity) {
    static const char *const words[] = {"info", "warning", "critical"};
    return words[severity];
}

const char *bw_phase_word(bw_phase phase) {
    static const char *const words[] = {"firing", "resolved"};
    return words[phase];
}

/* Division that rounds down, so that moments before 1970 have a positive rest. */
static int64_t divide(int64_t value, int64_t by) {
    return value / by - (value % by < 0);
}

bw_text bw_rfc3339(int64_t ms) {
    int64_t days = divide(ms, 86400000), rest = (ms % 86400000 + 86400000) % 86400000;
    /* Howard Hinnant's civil_from_days: eras of 400 years that begin on the first of March, so that the leap day is the last of
     * its year. */
    int64_t shifted = days + 719468, era = divide(shifted, 146097), day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    int month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    long long year = (long long)(year_of_era + era * 400 + (month <= 2));
    int second = (int)(rest / 1000);
    return bw_textf("%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, second / 3600, second / 60 % 60, second % 60,
                    (int)(rest % 1000));
}

static void put_optional(bw_document *document, const char *name, bw_text text) {
    if (text.data == NULL) {
        bw_put_null(document, name);
    } else {
        bw_put_text(document, name, text);
    }
}

bw_text bw_alert_json(const bw_alert *alert) {
    bw_document document = {0};
    bw_put_object(&document, NULL);
    bw_put_text(&document, "idempotency_key", alert->idempotency_key);
    bw_put_text(&document, "id", alert->id);
    bw_put_text(&document, "condition", alert->condition);
    bw_put_text(&document, "severity", bw_text_of(bw_severity_word(alert->severity)));
    bw_put_text(&document, "phase", bw_text_of(bw_phase_word(alert->phase)));
    bw_put_text(&document, "summary", alert->summary);
    put_optional(&document, "model_id", alert->model_id);
    put_optional(&document, "symbol", alert->symbol);
    bw_put_text(&document, "started_at", bw_rfc3339(alert->started_at_ms));
    bw_put_object(&document, "labels");
    for (size_t place = 0; place < alert->label_count; place++) {
        bw_put_name(&document, alert->labels[place].name);
        bw_put_text(&document, NULL, alert->labels[place].value);
    }
    bw_put_end(&document);
    const bw_json *detail = bw_json_parse(alert->detail, NULL);
    if (detail != NULL) {
        bw_put_json(&document, "detail", detail);
    } else {
        /* Always an object from the host; should it ever not be, the text is better than no alert. */
        bw_put_text(&document, "detail", alert->detail);
    }
    return bw_document_text(&document);
}
