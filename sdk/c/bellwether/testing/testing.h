/* Stands in for the host in native tests: frames and windows from arrays, the distribution functions, randomness, log, time,
 * secrets, progress and HTTP. A plugin's source is compiled unchanged with the system's compiler; no WebAssembly is involved.
 *
 *     int main(void) {
 *         const bw_json *config = bw_test_config(&bw_drift_test_plugin.plugin, "{}");
 *         ...
 *         BW_EXPECT_CLOSE(outcome.statistic, 2.107, 1e-9);
 *         return bw_test_result();
 *     }
 *
 * What it hands out lives until `bw_test_reset`. It is not the host: it checks no grants and no limits. `bellwether plugin
 * check` and `bellwether plugin test` do, with the built component.
 */
#ifndef BELLWETHER_TESTING_H
#define BELLWETHER_TESTING_H

#include "../data.h"
#include "../deployment_strategy.h"
#include "../http_exchange.h"
#include "../network.h"
#include "../plugin.h"

/* One column of a frame. */
typedef struct {
    const char *name;
    bw_column_kind kind;
    const double *values;
    size_t count;
} bw_test_column;

/* A frame of columns of one length. */
const bw_frame *bw_test_frame(const bw_test_column *columns, size_t count);

/* A frame of one numeric column, `x`. */
const bw_frame *bw_test_frame_of(const double *values, size_t count);

/* Windows: `values` are row-major [sample, step, feature]; `targets` one per sample, NULL when predicting. */
const bw_windows *bw_test_windows(bw_texts features, uint32_t steps, size_t samples, const double *values, const double *targets);

/* The configuration a plugin gets when the operator gives `given`, a JSON object: the schema's defaults filled in as the host
 * does. It must be one the plugin takes; NULL, with a failed expectation, otherwise. */
const bw_json *bw_test_config(const bw_plugin *plugin, const char *given);

/* The same, giving the plugin's own error. */
const bw_error *bw_test_try_config(const bw_plugin *plugin, const char *given, const bw_json **config);

/* Expects the schema to be one the host takes: an object that refuses unknown properties, describes each one, and whose
 * defaults, with `required` laid over them, are a configuration the plugin takes. */
void bw_test_schema(const bw_plugin *plugin, const char *required);

/* Seeds the randomness; 42 at first. */
void bw_test_seed(uint64_t seed);

/* The lines logged so far, each as `warn: message` with a line feed. */
const char *bw_test_log(void);

/* Sets the time. */
void bw_test_now_ms(int64_t now_ms);

/* Sets a secret; a value of NULL takes it away. Eight at most. */
void bw_test_secret(const char *name, const char *value);

/* Has the host ask a fit to stop at the report after this many. */
void bw_test_stop_after(unsigned reports);

/* Reports of progress so far. */
unsigned bw_test_reports(void);

/* Answers every request from now on. */
void bw_test_answer(uint16_t status, const char *body);

/* Leaves every request from now on without an answer. It is so at first, refused. */
void bw_test_no_answer(bw_http_outcome outcome, const char *why);

/* Requests so far, and one of them; the last hundred are kept. */
size_t bw_test_request_count(void);
const bw_http_request *bw_test_request(size_t place);

/* A rollout that just began: `candidate` against `stable` (NULL for a first deployment), nothing measured. */
bw_rollout bw_test_rollout(const char *stable, const char *candidate);

/* A network as lines: `lstm_1(64) <- input`. */
bw_text bw_test_outline(const bw_network *network);

/* Begins anew: frees everything handed out and forgets what was set and recorded. */
void bw_test_reset(void);

/* Expectations. One that fails is printed with its place, and the rest go on. */
#define BW_EXPECT(condition) bw_test_expect((condition), __FILE__, __LINE__, "%s", #condition)
/* Within a relative tolerance; numbers below 1 in size absolutely. */
#define BW_EXPECT_CLOSE(found, expected, tolerance) bw_test_close((found), (expected), (tolerance), __FILE__, __LINE__, #found)
/* The bw_text equals the C string. */
#define BW_EXPECT_TEXT(found, expected) bw_test_same((found), (expected), __FILE__, __LINE__)
/* The result is no error. */
#define BW_EXPECT_OK(result) bw_test_ok((result), __FILE__, __LINE__)
/* The result is an error of this code whose message holds this part. */
#define BW_EXPECT_ERROR(result, code, part) bw_test_error((result), (code), (part), __FILE__, __LINE__)

bool bw_test_expect(bool held, const char *file, int line, const char *format, ...) BW_PRINTF(4, 5);
bool bw_test_close(double found, double expected, double tolerance, const char *file, int line, const char *what);
bool bw_test_same(bw_text found, const char *expected, const char *file, int line);
bool bw_test_ok(const bw_error *result, const char *file, int line);
bool bw_test_error(const bw_error *result, bw_error_code code, const char *part, const char *file, int line);

/* Prints how many expectations held and frees everything. The exit status of `main`: 0 when all did. */
int bw_test_result(void);

#endif
