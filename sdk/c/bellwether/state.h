/* State and baselines as bytes: a tag and a version in front, little-endian numbers behind.
 *
 * What comes back from the host may be another plugin's, an older version's or damaged. The reader checks every length
 * before it uses it and remembers the first failure, so a plugin reads everything and asks once, with `bw_read_end`:
 *
 *     bw_writer writer = bw_writer_new("my-test", 1);
 *     bw_write_number(&writer, mean);
 *     *state = bw_writer_bytes(&writer);
 *
 *     bw_reader reader = bw_reader_open(state, "my-test", 1);
 *     double mean = bw_read_number(&reader);
 *     BW_TRY(bw_read_end(&reader));
 */
#ifndef BELLWETHER_STATE_H
#define BELLWETHER_STATE_H

#include "error.h"

typedef struct {
    bw_buffer bytes;
} bw_writer;

/* Begins a state of this kind and layout. Raise `version` whenever the layout changes. */
bw_writer bw_writer_new(const char *tag, uint32_t version);

/* A whole number. */
void bw_write_u64(bw_writer *writer, uint64_t value);
/* A real number, bit for bit. */
void bw_write_number(bw_writer *writer, double value);
/* Real numbers with their count. */
void bw_write_numbers(bw_writer *writer, bw_numbers values);
/* A text. */
void bw_write_text(bw_writer *writer, bw_text text);
/* Texts with their count. */
void bw_write_texts(bw_writer *writer, bw_texts texts);
/* Bytes with their count: a part with a layout of its own. */
void bw_write_bytes(bw_writer *writer, bw_bytes bytes);
/* What was written. */
bw_bytes bw_writer_bytes(const bw_writer *writer);

typedef struct {
    bw_bytes rest;
    const char *tag;
    const bw_error *failed;
} bw_reader;

/* Opens a state; it fails for one of another kind or version. `tag` must outlive the reader. */
bw_reader bw_reader_open(bw_bytes bytes, const char *tag, uint32_t version);

/* After a failure every one of these gives zero or nothing. */
uint64_t bw_read_u64(bw_reader *reader);
double bw_read_number(bw_reader *reader);
bw_numbers bw_read_numbers(bw_reader *reader);
bw_text bw_read_text(bw_reader *reader);
bw_texts bw_read_texts(bw_reader *reader);
/* Points into the state. */
bw_bytes bw_read_bytes(bw_reader *reader);

/* Whether everything was read and nothing is left: else BW_INVALID_INPUT. Do not use what was read before asking. */
const bw_error *bw_read_end(const bw_reader *reader);

/* The error for a state whose numbers make no sense, `what` being how: "a count of 0". */
const bw_error *bw_state_damaged(const char *tag, const char *what);

#endif
