/* The host's randomness, for worlds that import it. Included once by a world's file. */

/* Numbers drawn in one call. */
#define RANDOM_LIMIT 131072

static void glue_draw(double *numbers, size_t count, void (*source)(uint32_t, world_list_f64_t *)) {
    while (count > 0) {
        world_list_f64_t drawn;
        source((uint32_t)(count < RANDOM_LIMIT ? count : RANDOM_LIMIT), &drawn);
        if (drawn.len == 0 || drawn.len > count) {
            __builtin_trap();
        }
        memcpy(numbers, drawn.ptr, drawn.len * sizeof(double));
        numbers += drawn.len;
        count -= drawn.len;
        world_list_f64_free(&drawn);
    }
}

void bw_random_uniform(double *numbers, size_t count) {
    glue_draw(numbers, count, bellwether_host_random_uniform);
}

void bw_random_normal(double *numbers, size_t count) {
    glue_draw(numbers, count, bellwether_host_random_normal);
}
