/* The host's distribution functions, for worlds that import them. Included once by a world's file. */

double bw_normal_cdf(double x) {
    return bellwether_host_stats_normal_cdf(x);
}

double bw_normal_quantile(double p) {
    return bellwether_host_stats_normal_quantile(p);
}

double bw_student_t_sf(double x, double df) {
    return bellwether_host_stats_student_t_sf(x, df);
}

double bw_chi_squared_sf(double x, double df) {
    return bellwether_host_stats_chi_squared_sf(x, df);
}

double bw_fisher_f_sf(double x, double d1, double d2) {
    return bellwether_host_stats_fisher_f_sf(x, d1, d2);
}

double bw_beta_regularized(double a, double b, double x) {
    return bellwether_host_stats_beta_regularized(a, b, x);
}

double bw_ln_gamma(double x) {
    return bellwether_host_stats_ln_gamma(x);
}
