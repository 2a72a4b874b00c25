/* State as bytes. The layout is that of the other SDKs: a text is its length in eight bytes, then itself. */
#include "state.h"

#include <string.h>

static void write_little(bw_writer *writer, uint64_t value, size_t width) {
    uint8_t bytes[8];
    for (size_t place = 0; place < width; place++) {
        bytes[place] = (uint8_t)(value >> (8 * place));
    }
    bw_buffer_add(&writer->bytes, bytes, width);
}

bw_writer bw_writer_new(const char *tag, uint32_t version) {
    bw_writer writer = {0};
    bw_write_text(&writer, bw_text_of(tag));
    write_little(&writer, version, 4);
    return writer;
}

void bw_write_u64(bw_writer *writer, uint64_t value) {
    write_little(writer, value, 8);
}

void bw_write_number(bw_writer *writer, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    write_little(writer, bits, 8);
}

void bw_write_numbers(bw_writer *writer, bw_numbers values) {
    bw_write_u64(writer, values.count);
    for (size_t place = 0; place < values.count; place++) {
        bw_write_number(writer, values.data[place]);
    }
}

void bw_write_text(bw_writer *writer, bw_text text) {
    bw_write_bytes(writer, (bw_bytes){(const uint8_t *)text.data, text.length});
}

void bw_write_texts(bw_writer *writer, bw_texts texts) {
    bw_write_u64(writer, texts.count);
    for (size_t place = 0; place < texts.count; place++) {
        bw_write_text(writer, texts.data[place]);
    }
}

void bw_write_bytes(bw_writer *writer, bw_bytes bytes) {
    bw_write_u64(writer, bytes.count);
    bw_buffer_add(&writer->bytes, bytes.data, bytes.count);
}

bw_bytes bw_writer_bytes(const bw_writer *writer) {
    return (bw_bytes){writer->bytes.data, writer->bytes.count};
}

const bw_error *bw_state_damaged(const char *tag, const char *what) {
    return bw_invalid_input("the `%s` state is damaged: %s", tag, what);
}

static void fail(bw_reader *reader) {
    if (reader->failed == NULL) {
        reader->failed = bw_state_damaged(reader->tag, "its lengths do not fit its bytes");
    }
    reader->rest = (bw_bytes){0};
}

/* The next bytes, or NULL when there are not so many. */
static const uint8_t *take(bw_reader *reader, size_t count) {
    if (count > reader->rest.count) {
        fail(reader);
        return NULL;
    }
    static const uint8_t nothing[1];
    if (count == 0) {
        return nothing;
    }
    const uint8_t *bytes = reader->rest.data;
    reader->rest.data += count;
    reader->rest.count -= count;
    return bytes;
}

static uint64_t read_little(bw_reader *reader, size_t width) {
    const uint8_t *bytes = take(reader, width);
    uint64_t value = 0;
    for (size_t place = 0; bytes != NULL && place < width; place++) {
        value |= (uint64_t)bytes[place] << (8 * place);
    }
    return value;
}

/* A count of elements, each of at least `width` bytes, that the rest can hold; else 0, failed. */
static size_t read_count(bw_reader *reader, size_t width) {
    uint64_t count = bw_read_u64(reader);
    if (count > reader->rest.count / width) {
        fail(reader);
        return 0;
    }
    return (size_t)count;
}

bw_reader bw_reader_open(bw_bytes bytes, const char *tag, uint32_t version) {
    bw_reader reader = {.rest = bytes, .tag = tag};
    bw_text found = bw_read_text(&reader);
    if (reader.failed != NULL || !bw_text_is(found, tag)) {
        reader.rest = (bw_bytes){0};
        reader.failed = bw_invalid_input("these %zu bytes are not a `%s` state", bytes.count, tag);
        return reader;
    }
    uint64_t layout = read_little(&reader, 4);
    if (reader.failed == NULL && layout != version) {
        fail(&reader);
        reader.failed = bw_invalid_input("`%s` state of version %u, this plugin reads version %u: make it again", tag,
                                         (unsigned)layout, (unsigned)version);
    }
    return reader;
}

uint64_t bw_read_u64(bw_reader *reader) {
    return read_little(reader, 8);
}

double bw_read_number(bw_reader *reader) {
    uint64_t bits = read_little(reader, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

bw_numbers bw_read_numbers(bw_reader *reader) {
    size_t count = read_count(reader, 8);
    double *values = bw_alloc_numbers(count);
    for (size_t place = 0; place < count; place++) {
        values[place] = bw_read_number(reader);
    }
    return (bw_numbers){values, count};
}

bw_text bw_read_text(bw_reader *reader) {
    bw_bytes bytes = bw_read_bytes(reader);
    if (reader->failed == NULL && !bw_utf8((const char *)bytes.data, bytes.count)) {
        fail(reader);
        reader->failed = bw_state_damaged(reader->tag, "a text in it is not UTF-8");
    }
    return reader->failed == NULL ? bw_text_copy((const char *)bytes.data, bytes.count) : bw_text_of("");
}

bw_texts bw_read_texts(bw_reader *reader) {
    /* Each text takes at least its eight bytes of length, so a false count fails before it costs memory. */
    size_t count = read_count(reader, 8);
    bw_text *texts = bw_alloc_array(count, sizeof *texts);
    for (size_t place = 0; place < count; place++) {
        texts[place] = bw_read_text(reader);
    }
    return (bw_texts){texts, count};
}

bw_bytes bw_read_bytes(bw_reader *reader) {
    size_t count = read_count(reader, 1);
    const uint8_t *bytes = take(reader, count);
    return reader->failed == NULL ? (bw_bytes){bytes, count} : (bw_bytes){0};
}

const bw_error *bw_read_end(const bw_reader *reader) {
    if (reader->failed != NULL) {
        return reader->failed;
    }
    return reader->rest.count == 0 ? NULL : bw_state_damaged(reader->tag, "bytes are left over");
}
