/* Randomness, log, time, secrets and progress, natively; and the beginning anew. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "recorded.h"
#include "testing.h"

#define SECRETS 8

static uint64_t random_state = 42;
static char lines[1 << 16];
static size_t lines_length;
static int64_t now;
static struct {
    const char *name, *value;
} secrets[SECRETS];
static unsigned reports, stop_after = UINT32_MAX;

void bw_test_reset(void) {
    random_state = 42;
    lines[lines_length = 0] = 0;
    now = 0;
    memset(secrets, 0, sizeof secrets);
    reports = 0;
    stop_after = UINT32_MAX;
    bw_recorded_forget();
    bw_free_all();
}

void bw_test_seed(uint64_t seed) {
    random_state = seed;
}

/* SplitMix64 (Steele, Lea and Flood 2014). */
static double next_uniform(void) {
    random_state += 0x9E3779B97F4A7C15u;
    uint64_t mixed = (random_state ^ random_state >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    return (double)((mixed ^ mixed >> 31) >> 11) / 9007199254740992.0;
}

void bw_random_uniform(double *numbers, size_t count) {
    for (size_t place = 0; place < count; place++) {
        numbers[place] = next_uniform();
    }
}

void bw_random_normal(double *numbers, size_t count) {
    for (size_t place = 0; place < count; place++) {
        /* Box and Muller (1958). */
        double length = sqrt(-2.0 * log(1.0 - next_uniform()));
        numbers[place] = length * cos(6.28318530717958647693 * next_uniform());
    }
}

void bw_host_log(bw_log_level level, bw_text message) {
    static const char *const words[] = {"trace", "debug", "info", "warn", "error"};
    int written = snprintf(lines + lines_length, sizeof lines - lines_length, "%s: %s\n", words[level], message.data);
    /* Past the room the log is full, as the host's is past its rate. */
    size_t room = sizeof lines - 1 - lines_length;
    lines_length += written > 0 && (size_t)written < room ? (size_t)written : room;
}

const char *bw_test_log(void) {
    return lines;
}

void bw_test_now_ms(int64_t now_ms) {
    now = now_ms;
}

int64_t bw_now_ms(void) {
    return now;
}

void bw_test_secret(const char *name, const char *value) {
    for (size_t place = 0; place < SECRETS; place++) {
        if (secrets[place].name == NULL || strcmp(secrets[place].name, name) == 0) {
            secrets[place].name = name;
            secrets[place].value = value;
            return;
        }
    }
}

bool bw_secret(const char *name, bw_text *value) {
    for (size_t place = 0; place < SECRETS && secrets[place].name != NULL; place++) {
        if (strcmp(secrets[place].name, name) == 0 && secrets[place].value != NULL) {
            *value = bw_text_of(secrets[place].value);
            return true;
        }
    }
    return false;
}

void bw_test_stop_after(unsigned count) {
    stop_after = count;
}

unsigned bw_test_reports(void) {
    return reports;
}

bool bw_progress(uint32_t done, uint32_t total, double train_loss, double validation_loss) {
    (void)done, (void)total, (void)train_loss, (void)validation_loss;
    return ++reports <= stop_after;
}
