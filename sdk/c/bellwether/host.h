/* What the host offers: log, distribution functions, randomness, time, secrets, progress.
 *
 * Two implementations stand behind these declarations: `wasm/`, which calls the host through the generated bindings, and
 * `testing/`, which stands in for it in native tests. A world that does not import an interface has no implementation of it,
 * so using one that the plugin's kind cannot have is an error of the linker.
 */
#ifndef BELLWETHER_HOST_H
#define BELLWETHER_HOST_H

#include "text.h"

/* How important a line of the log is. */
typedef enum { BW_LOG_TRACE, BW_LOG_DEBUG, BW_LOG_INFO, BW_LOG_WARN, BW_LOG_ERROR } bw_log_level;

/* One line in the host's log, under the plugin's name. Rate-limited; longer than 4 KiB is cut. Every kind. */
void bw_host_log(bw_log_level level, bw_text message);

/* The same with a text as printf makes it. */
void bw_log(bw_log_level level, const char *format, ...) BW_PRINTF(2, 3);

/* Distribution functions; arguments outside a function's domain give NaN. Every kind but alert-handler and a model that is
 * a network. */

/* Standard normal cumulative distribution at `x`. */
double bw_normal_cdf(double x);
/* Standard normal quantile at `p` in (0, 1). */
double bw_normal_quantile(double p);
/* Upper tail of Student's t with `df` > 0 degrees of freedom. */
double bw_student_t_sf(double x, double df);
/* Upper tail of chi-squared with `df` > 0 degrees of freedom. */
double bw_chi_squared_sf(double x, double df);
/* Upper tail of F with `d1`, `d2` > 0 degrees of freedom. */
double bw_fisher_f_sf(double x, double d1, double d2);
/* Regularised incomplete beta function I_x(a, b), `a`, `b` > 0, `x` in [0, 1]. */
double bw_beta_regularized(double a, double b, double x);
/* Natural logarithm of the gamma function, `x` > 0. */
double bw_ln_gamma(double x);

/* Seeded randomness (ChaCha8): the host seeds it per call from the job's seed. Drift tests and models that fit themselves.
 * Natively another generator: good for tests of a plugin's logic, not the host's numbers. */

/* Fills `numbers` with `count` numbers uniform in [0, 1). */
void bw_random_uniform(double *numbers, size_t count);
/* Fills `numbers` with `count` standard normal numbers. */
void bw_random_normal(double *numbers, size_t count);

/* Milliseconds since 1970-01-01T00:00:00Z. Alert handlers that were granted it (`wants.clock`). */
int64_t bw_now_ms(void);

/* The value of a secret the operator mapped to this plugin; false when it was not granted or is not set. Alert handlers. */
bool bw_secret(const char *name, bw_text *value);

/* Reports that `done` of `total` steps of a fit are finished, with the losses so far (NAN for none). False when the host
 * wants no more: return what there is. Models that fit themselves. */
bool bw_progress(uint32_t done, uint32_t total, double train_loss, double validation_loss);

#endif
