/* The memory of one call: a chain of blocks that is freed at once.
 *
 * Every request is a block of its own, so that a native address sanitizer sees where one ends. It must not know what the
 * memory is for.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"

typedef struct block {
    struct block *next;
    /* What follows must be aligned for any type. */
    _Alignas(16) unsigned char data[];
} block;

static block *blocks;

static _Noreturn void out_of_memory(void) {
    bw_host_log(BW_LOG_ERROR, bw_text_of("out of memory: raise limits.memory in plugin.toml, or hold less at a time"));
    __builtin_trap();
}

void *bw_alloc(size_t bytes) {
    if (bytes > SIZE_MAX - sizeof(block)) {
        out_of_memory();
    }
    block *fresh = calloc(1, sizeof(block) + bytes);
    if (fresh == NULL) {
        out_of_memory();
    }
    fresh->next = blocks;
    blocks = fresh;
    return fresh->data;
}

void *bw_alloc_array(size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) {
        out_of_memory();
    }
    return bw_alloc(count * size);
}

void bw_free_all(void) {
    while (blocks != NULL) {
        block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

bw_numbers bw_numbers_copy(const double *data, size_t count) {
    double *copy = bw_alloc_numbers(count);
    if (count > 0) {
        memcpy(copy, data, count * sizeof(double));
    }
    return (bw_numbers){copy, count};
}

void bw_buffer_add(bw_buffer *buffer, const void *data, size_t count) {
    if (count == 0) {
        return;
    }
    if (count > buffer->room - buffer->count) {
        /* Doubling keeps the bytes copied, and the outgrown ones kept until the end of the call, in proportion. */
        if (count > SIZE_MAX / 2 - buffer->room) {
            out_of_memory();
        }
        size_t room = 2 * buffer->room + count + 32;
        uint8_t *grown = bw_alloc(room);
        if (buffer->count > 0) {
            memcpy(grown, buffer->data, buffer->count);
        }
        buffer->data = grown;
        buffer->room = room;
    }
    memcpy(buffer->data + buffer->count, data, count);
    buffer->count += count;
}
