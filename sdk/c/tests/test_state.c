/* States written and read, foreign, old, cut and lying; texts and what is repaired of them. */
#include <math.h>

#include "bellwether/state.h"
#include "bellwether/testing/testing.h"

static bw_bytes sample(const char *tag, uint32_t version) {
    bw_writer writer = bw_writer_new(tag, version);
    bw_write_texts(&writer, BW_TEXTS("a", "\xc3\xa9"));
    bw_write_numbers(&writer, (bw_numbers){(double[]){1.0, NAN}, 2});
    bw_write_number(&writer, -0.0);
    bw_write_bytes(&writer, (bw_bytes){(const uint8_t *)"\0\1", 2});
    return bw_writer_bytes(&writer);
}

static const bw_error *read(bw_bytes bytes) {
    bw_reader reader = bw_reader_open(bytes, "tag", 2);
    bw_texts texts = bw_read_texts(&reader);
    bw_numbers numbers = bw_read_numbers(&reader);
    double number = bw_read_number(&reader);
    bw_bytes part = bw_read_bytes(&reader);
    BW_TRY(bw_read_end(&reader));
    BW_EXPECT(bw_texts_equal(texts, BW_TEXTS("a", "\xc3\xa9")));
    BW_EXPECT(numbers.count == 2 && numbers.data[0] == 1.0 && isnan(numbers.data[1]) && signbit(number));
    BW_EXPECT(part.count == 2 && part.data[1] == 1);
    return NULL;
}

static void test_what_was_written_is_read(void) {
    BW_EXPECT_OK(read(sample("tag", 2)));
}

/* The layout is shared by the SDKs: these are the bytes of the Rust one for Writer::new("t", 1) and u64(3). */
static void test_the_layout_is_the_one_of_the_other_sdks(void) {
    bw_writer writer = bw_writer_new("t", 1);
    bw_write_u64(&writer, 3);
    bw_bytes bytes = bw_writer_bytes(&writer);
    static const uint8_t expected[] = {1, 0, 0, 0, 0, 0, 0, 0, 't', 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0};
    BW_EXPECT(bytes.count == sizeof expected);
    for (size_t place = 0; place < sizeof expected && place < bytes.count; place++) {
        BW_EXPECT(bytes.data[place] == expected[place]);
    }
}

static void test_foreign_old_and_damaged_states_are_refused(void) {
    BW_EXPECT_ERROR(read((bw_bytes){0}), BW_INVALID_INPUT, "0 bytes are not a `tag` state");
    BW_EXPECT_ERROR(read(sample("other", 2)), BW_INVALID_INPUT, "not a `tag` state");
    BW_EXPECT_ERROR(read(sample("tag", 1)), BW_INVALID_INPUT, "version 1, this plugin reads version 2");
    bw_bytes whole = sample("tag", 2);
    for (size_t length = 11; length < whole.count; length++) {
        BW_EXPECT_ERROR(read((bw_bytes){whole.data, length}), BW_INVALID_INPUT, "damaged");
    }
    bw_buffer longer = {0};
    bw_buffer_add(&longer, whole.data, whole.count);
    bw_buffer_add(&longer, "", 1);
    BW_EXPECT_ERROR(read((bw_bytes){longer.data, longer.count}), BW_INVALID_INPUT, "left over");
    bw_writer lying = bw_writer_new("tag", 2);
    bw_write_u64(&lying, UINT64_MAX);
    BW_EXPECT_ERROR(read(bw_writer_bytes(&lying)), BW_INVALID_INPUT, "damaged");
    bw_writer broken = bw_writer_new("tag", 2);
    bw_write_u64(&broken, 1);
    bw_write_text(&broken, bw_text_of("\xff"));
    BW_EXPECT_ERROR(read(bw_writer_bytes(&broken)), BW_INVALID_INPUT, "not UTF-8");
}

static void test_texts_are_repaired(void) {
    BW_EXPECT_TEXT(bw_text_repaired(bw_text_of("\xc3\xbc fine")), "\xc3\xbc fine");
    BW_EXPECT_TEXT(bw_text_repaired(bw_text_of("cut \xf0\x9f\x98")), "cut ???");
    BW_EXPECT_TEXT(bw_text_repaired(bw_text_of("\xed\xa0\x80 \xc0\x80 \xff")), "??? ?? ?");
    BW_EXPECT_TEXT(bw_text_join(BW_TEXTS("a", "b", "c"), ", "), "a, b, c");
    BW_EXPECT_TEXT(bw_text_join((bw_texts){0}, ", "), "");
    BW_EXPECT(!bw_texts_equal(BW_TEXTS("a", "b"), BW_TEXTS("a")) && !bw_texts_equal(BW_TEXTS("a"), BW_TEXTS("b")));
}

int main(void) {
    test_what_was_written_is_read();
    test_the_layout_is_the_one_of_the_other_sdks();
    test_foreign_old_and_damaged_states_are_refused();
    test_texts_are_repaired();
    return bw_test_result();
}
