/* Numbers from the host. Included once by a world's file that reads some. */
#ifndef BELLWETHER_WASM_TAKE_H
#define BELLWETHER_WASM_TAKE_H

/* Moves a list of numbers into memory of the plugin and frees it; gives how many there were. */
static size_t glue_take(world_list_f64_t *list, double *values, size_t room) {
    size_t count = list->len < room ? list->len : room;
    if (count > 0) {
        memcpy(values, list->ptr, count * sizeof(double));
    }
    world_list_f64_free(list);
    return count;
}

#endif
