/* What is JSON and what is not; numbers that come back; settings that are missing or of another kind. */
#include <math.h>
#include <string.h>

#include "bellwether/json.h"
#include "bellwether/testing/testing.h"

/* A document read and written again. */
static bw_text again(const char *document) {
    bw_text why = {0};
    const bw_json *value = bw_json_parse(bw_text_of(document), &why);
    if (value == NULL) {
        return why;
    }
    bw_document out = {0};
    bw_put_json(&out, NULL, value);
    return bw_document_text(&out);
}

static void test_documents_come_back(void) {
    static const char *const rows[][2] = {
        {" { \"a\" : [ 1 , -2.50 , 1e3 , true , false , null ] , \"\" : { } } ", "{\"a\":[1,-2.5,1000,true,false,null],\"\":{}}"},
        {"[]", "[]"},
        {"\"\\u00fc \\ud83d\\ude00 \\n \\\" \\\\ \\/\"", "\"\xc3\xbc \xf0\x9f\x98\x80 \\u000a \\\" \\\\ /\""},
        {"\"a\\u0000b\"", "\"a\\u0000b\""},
        {"0.1", "0.1"},
        {"-0", "-0"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"5e-324", "4.94065645841247e-324"},
        {"123456789012345678", "1.2345678901234568e+17"},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        BW_EXPECT_TEXT(again(rows[row][0]), rows[row][1]);
    }
}

static void test_what_is_no_json_is_refused(void) {
    static const char *const rows[][2] = {
        {"", "no value"},           {"{", "needs a name"},          {"[1,]", "no value"},          {"[1 2]", "closing bracket"},
        {"{\"a\"}", "colon"},       {"{\"a\":1,}", "needs a name"}, {"{a:1}", "needs a name"},     {"01", "follows"},
        {"1.", "no value"},         {"+1", "no value"},             {".5", "no value"},            {"1e", "no value"},
        {"NaN", "no value"},        {"1e999", "too large"},         {"\"a", "no end"},             {"\"\\x\"", "escape"},
        {"\"\\ud800\"", "escape"},  {"\"\\udc00\"", "escape"},      {"\"\\u12\"", "escape"},       {"\"\\\"", "no end"},
        {"\"\t\"", "control"},      {"\"\xff\"", "UTF-8"},          {"\"\xc0\x80\"", "UTF-8"},     {"\"\xed\xa0\x80\"", "UTF-8"},
        {"true false", "follows"},  {"nul", "no value"},            {"\"\\ud83d\\u0041\"", "escape"},
    };
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        bw_text why = bw_text_of("it was taken");
        BW_EXPECT(bw_json_parse(bw_text_of(rows[row][0]), &why) == NULL);
        bw_test_expect(strstr(why.data, rows[row][1]) != NULL, __FILE__, __LINE__, "%s: %s", rows[row][0], why.data);
    }
}

static void test_depth_is_bounded(void) {
    char deep[2 * 100000 + 1];
    for (int depth = 0; depth < 100000; depth++) {
        deep[depth] = '[';
        deep[100000 + depth] = ']';
    }
    BW_EXPECT(bw_json_parse((bw_text){deep, 200000}, NULL) == NULL);
    BW_EXPECT(bw_json_parse((bw_text){deep + 100000 - BW_JSON_DEPTH, 2 * BW_JSON_DEPTH}, NULL) != NULL);
    BW_EXPECT(bw_json_parse((bw_text){deep + 99999 - BW_JSON_DEPTH, 2 * BW_JSON_DEPTH + 2}, NULL) == NULL);
    bw_document document = {0};
    for (int depth = 0; depth < 2 * BW_JSON_DEPTH; depth++) {
        bw_put_object(&document, depth == 0 ? NULL : "a");
        bw_put_text(&document, "b", bw_text_of("c"));
    }
    BW_EXPECT(bw_json_parse(bw_document_text(&document), NULL) != NULL);
}

static void test_every_cut_of_a_document_is_refused(void) {
    const char *whole = "{\"a\": [1, {\"b\\u00e4\": \"\\ud83d\\ude00\"}], \"c\": -1.5e-3}";
    size_t length = strlen(whole);
    for (size_t cut = 0; cut < length; cut++) {
        BW_EXPECT(bw_json_parse(bw_text_copy(whole, cut), NULL) == NULL);
    }
    BW_EXPECT(bw_json_parse(bw_text_of(whole), NULL) != NULL);
}

static void test_numbers_are_written_shortest(void) {
    bw_document document = {0};
    bw_put_array(&document, NULL);
    bw_put_number(&document, NULL, 0.1 + 0.2);
    bw_put_number(&document, NULL, 100.0);
    bw_put_number(&document, NULL, NAN);
    bw_put_number(&document, NULL, -INFINITY);
    bw_put_whole(&document, NULL, INT64_MIN);
    BW_EXPECT_TEXT(bw_document_text(&document), "[0.30000000000000004,100,null,null,-9223372036854775808]");
}

static void test_settings(void) {
    const bw_json *config = bw_json_parse(
        bw_text_of("{\"n\": 2.5, \"w\": 3, \"big\": 1e17, \"b\": true, \"t\": \"up\", \"l\": [1, 2], \"s\": [\"a\"], \"m\": [1, \"a\"], \"n\": 4}"), NULL);
    static const char *const words[] = {"down", "up", NULL};
    double number;
    int64_t whole;
    bool yes;
    bw_text text;
    bw_numbers numbers;
    bw_texts texts;
    int choice;
    BW_EXPECT_OK(bw_config_number(config, "n", &number));
    BW_EXPECT(number == 4.0);
    BW_EXPECT_OK(bw_config_whole(config, "w", &whole));
    BW_EXPECT_OK(bw_config_boolean(config, "b", &yes));
    BW_EXPECT_OK(bw_config_text(config, "t", &text));
    BW_EXPECT_OK(bw_config_numbers(config, "l", &numbers));
    BW_EXPECT_OK(bw_config_texts(config, "s", &texts));
    BW_EXPECT_OK(bw_config_choice(config, "t", words, &choice));
    BW_EXPECT(whole == 3 && yes && numbers.count == 2 && numbers.data[1] == 2.0 && texts.count == 1 && choice == 1);
    BW_EXPECT_TEXT(text, "up");
    BW_EXPECT_ERROR(bw_config_number(config, "x", &number), BW_INVALID_CONFIG, "`x` is missing: it must be a number");
    BW_EXPECT_ERROR(bw_config_number(config, "t", &number), BW_INVALID_CONFIG, "`t` must be a number");
    BW_EXPECT_ERROR(bw_config_whole(bw_json_parse(bw_text_of("{\"n\": 2.5}"), NULL), "n", &whole), BW_INVALID_CONFIG, "whole");
    BW_EXPECT_ERROR(bw_config_whole(config, "big", &whole), BW_INVALID_CONFIG, "2^53");
    BW_EXPECT_ERROR(bw_config_boolean(config, "n", &yes), BW_INVALID_CONFIG, "true or false");
    BW_EXPECT_ERROR(bw_config_numbers(config, "m", &numbers), BW_INVALID_CONFIG, "numbers only");
    BW_EXPECT_ERROR(bw_config_texts(config, "m", &texts), BW_INVALID_CONFIG, "texts only");
    static const char *const others[] = {"left", NULL};
    BW_EXPECT_ERROR(bw_config_choice(config, "t", others, &choice), BW_INVALID_CONFIG, "none of its words");
    BW_EXPECT(bw_json_at(bw_json_get(config, "l"), 1)->number == 2.0 && bw_json_at(bw_json_get(config, "l"), 2) == NULL);
}

int main(void) {
    test_documents_come_back();
    test_what_is_no_json_is_refused();
    test_depth_is_bounded();
    test_every_cut_of_a_document_is_refused();
    test_numbers_are_written_shortest();
    test_settings();
    return bw_test_result();
}
