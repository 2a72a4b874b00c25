/* Expectations: count, print what failed, go on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "testing.h"

static unsigned held_count, failed_count;

bool bw_test_expect(bool held, const char *file, int line, const char *format, ...) {
    if (held) {
        held_count++;
        return true;
    }
    failed_count++;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: failed: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return false;
}

bool bw_test_close(double found, double expected, double tolerance, const char *file, int line, const char *what) {
    double size = fabs(expected) > 1.0 ? fabs(expected) : 1.0;
    bool close = found == expected || (isnan(found) && isnan(expected)) || fabs(found - expected) <= tolerance * size;
    return bw_test_expect(close, file, line, "%s is %.17g, expected %.17g", what, found, expected);
}

bool bw_test_same(bw_text found, const char *expected, const char *file, int line) {
    return bw_test_expect(bw_text_is(found, expected), file, line, "found %s\n  expected %s", found.data, expected);
}

bool bw_test_ok(const bw_error *result, const char *file, int line) {
    return bw_test_expect(result == NULL, file, line, "%s: %s", result == NULL ? "" : bw_error_word(result->code),
                          result == NULL ? "" : result->message.data);
}

bool bw_test_error(const bw_error *result, bw_error_code code, const char *part, const char *file, int line) {
    bool held = result != NULL && result->code == code && strstr(result->message.data, part) != NULL;
    return bw_test_expect(held, file, line, "found %s: %s\n  expected %s: .. %s ..", result == NULL ? "no error" : bw_error_word(result->code),
                          result == NULL ? "" : result->message.data, bw_error_word(code), part);
}

int bw_test_result(void) {
    bw_test_reset();
    printf("%u expectations held, %u failed\n", held_count, failed_count);
    return failed_count == 0 ? 0 : 1;
}
