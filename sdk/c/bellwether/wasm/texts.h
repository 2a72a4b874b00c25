/* Lists of texts to the host. Included once by a world's file that answers with some. */

static world_list_string_t glue_texts_out(bw_texts texts) {
    world_list_string_t out = {glue_memory(texts.count, sizeof(world_string_t)), texts.count};
    for (size_t place = 0; place < texts.count; place++) {
        out.ptr[place] = glue_text_out(texts.data[place]);
    }
    return out;
}
