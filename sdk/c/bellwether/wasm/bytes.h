/* Bytes over the border. Included once by a world's file that has a state. */

static world_list_u8_t glue_bytes_out(bw_bytes bytes) {
    world_list_u8_t out = {glue_memory(bytes.count, 1), bytes.count};
    if (bytes.count > 0) {
        memcpy(out.ptr, bytes.data, bytes.count);
    }
    return out;
}
