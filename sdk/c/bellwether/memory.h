/* The memory of one call, and the lists everything else is made of.
 *
 * A plugin never frees. Whatever this library hands out, and whatever a plugin takes with `bw_alloc`, lives until the call
 * that asked for it has returned; the layer that carries results to the host copies them first. So a result may point
 * anywhere: into an argument, into the program, into memory of the call. There is no pointer that outlives a call.
 */
#ifndef BELLWETHER_MEMORY_H
#define BELLWETHER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes: a state, a baseline, the body of a message. */
typedef struct {
    const uint8_t *data;
    size_t count;
} bw_bytes;

/* Real numbers. */
typedef struct {
    const double *data;
    size_t count;
} bw_numbers;

/* A number that may be missing; `{0}` is none. */
typedef struct {
    bool some;
    double value;
} bw_optional;

/* A number that is there. */
static inline bw_optional bw_some(double value) {
    return (bw_optional){true, value};
}

/* Zeroed memory for the rest of the call. Never NULL: when there is no more, the call ends with a trap, as in every
 * language. Ask for sizes that follow from data you have, never for one that a state merely claims. */
void *bw_alloc(size_t bytes);

/* `count` zeroed elements of `size` bytes. A product past the largest size ends the call, it does not wrap round. */
void *bw_alloc_array(size_t count, size_t size);

/* `count` zeros. */
#define bw_alloc_numbers(count) ((double *)bw_alloc_array((count), sizeof(double)))

/* Ends the call: frees all of its memory. The layer below the plugin does it; a native test may. */
void bw_free_all(void);

/* A copy of numbers. */
bw_numbers bw_numbers_copy(const double *data, size_t count);

/* Bytes that grow while they are written; `{0}` is empty. */
typedef struct {
    uint8_t *data;
    size_t count;
    size_t room;
} bw_buffer;

/* Appends bytes. */
void bw_buffer_add(bw_buffer *buffer, const void *data, size_t count);

#endif
