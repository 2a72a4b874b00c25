/* The stand-in's distribution functions against SciPy, and outside their domains. */
#include <math.h>

#include "bellwether/testing/testing.h"
#include "stats_expected.h"

/* Small tails are compared relative to themselves: a p-value of 1e-12 must not be 0. */
static void near(const char *name, const double *row, double found) {
    double expected = row[3], error = fabs(found - expected), size = fabs(expected);
    bw_test_expect(error <= 1e-9 * size || found == expected, __FILE__, __LINE__, "%s(%g, %g, %g) is %.17g, expected %.17g", name, row[0],
                   row[1], row[2], found, expected);
}

#define ROWS(table, call)                                                   \
    for (size_t place = 0; place < sizeof table / sizeof table[0]; place++) { \
        const double *row = table[place];                                   \
        near(#table, row, call);                                            \
    }

int main(void) {
    ROWS(normal_cdf, bw_normal_cdf(row[0]))
    ROWS(normal_quantile, bw_normal_quantile(row[0]))
    ROWS(student_t_sf, bw_student_t_sf(row[0], row[1]))
    ROWS(chi_squared_sf, bw_chi_squared_sf(row[0], row[1]))
    ROWS(fisher_f_sf, bw_fisher_f_sf(row[0], row[1], row[2]))
    ROWS(beta_regularized, bw_beta_regularized(row[0], row[1], row[2]))
    ROWS(ln_gamma, bw_ln_gamma(row[0]))
    BW_EXPECT(isnan(bw_normal_quantile(0.0)) && isnan(bw_normal_quantile(1.0)) && isnan(bw_normal_quantile(NAN)));
    BW_EXPECT(isnan(bw_student_t_sf(1.0, 0.0)) && isnan(bw_student_t_sf(NAN, 1.0)) && isnan(bw_chi_squared_sf(1.0, -1.0)));
    BW_EXPECT(isnan(bw_fisher_f_sf(1.0, 0.0, 1.0)) && isnan(bw_beta_regularized(1.0, 1.0, 2.0)) && isnan(bw_ln_gamma(0.0)));
    BW_EXPECT(bw_student_t_sf(INFINITY, 3.0) == 0.0 && bw_student_t_sf(-INFINITY, 3.0) == 1.0);
    BW_EXPECT(bw_chi_squared_sf(INFINITY, 3.0) == 0.0 && bw_chi_squared_sf(-1.0, 3.0) == 1.0 && bw_fisher_f_sf(INFINITY, 3.0, 3.0) == 0.0);
    return bw_test_result();
}
