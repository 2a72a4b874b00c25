/* Frames and their columns, for worlds that import the host's data. Included once by a world's file. */
#include "../data_source.h"
#include "take.h"

struct bw_column {
    bellwether_host_data_own_column_t own;
};

/* A frame keeps the columns it gave, so that asking twice costs nothing and none is left behind. */
struct bw_frame {
    bellwether_host_data_borrow_frame_t borrowed;
    bw_column **columns;
    size_t count;
};

static bw_frame *glue_frame(bellwether_host_data_borrow_frame_t borrowed) {
    bw_frame *frame = bw_alloc(sizeof *frame);
    frame->borrowed = borrowed;
    frame->count = bw_frame_names(frame).count;
    frame->columns = bw_alloc_array(frame->count, sizeof *frame->columns);
    return frame;
}

/* Gives the columns back. */
static void glue_frame_end(bw_frame *frame) {
    for (size_t place = 0; place < frame->count; place++) {
        if (frame->columns[place] != NULL) {
            bellwether_host_data_column_drop_own(frame->columns[place]->own);
        }
    }
}

uint64_t bw_frame_rows(const bw_frame *frame) {
    return bellwether_host_data_method_frame_rows(frame->borrowed);
}

bw_texts bw_frame_names(const bw_frame *frame) {
    world_list_string_t names;
    bellwether_host_data_method_frame_names(frame->borrowed, &names);
    return glue_texts_in(names.ptr, names.len);
}

const bw_column *bw_frame_column(const bw_frame *frame, uint32_t place) {
    if (place >= frame->count) {
        return NULL;
    }
    if (frame->columns[place] == NULL) {
        bellwether_host_data_own_column_t own;
        if (!bellwether_host_data_method_frame_column(frame->borrowed, place, &own)) {
            return NULL;
        }
        bw_column *column = bw_alloc(sizeof *column);
        column->own = own;
        frame->columns[place] = column;
    }
    return frame->columns[place];
}

static bellwether_host_data_borrow_column_t glue_column(const bw_column *column) {
    return bellwether_host_data_borrow_column(column->own);
}

bw_text bw_column_name(const bw_column *column) {
    world_string_t name;
    bellwether_host_data_method_column_name(glue_column(column), &name);
    return glue_text_in(&name);
}

bw_column_kind bw_column_kind_of(const bw_column *column) {
    bool numeric = bellwether_host_data_method_column_kind(glue_column(column)) == BELLWETHER_HOST_DATA_COLUMN_KIND_NUMERIC;
    return numeric ? BW_NUMERIC : BW_CATEGORICAL;
}

uint64_t bw_column_len(const bw_column *column) {
    return bellwether_host_data_method_column_len(glue_column(column));
}

size_t bw_source_column(const bw_column *column, uint64_t offset, uint32_t count, double *values, size_t room) {
    world_list_f64_t list;
    bellwether_host_data_method_column_read(glue_column(column), offset, count, &list);
    return glue_take(&list, values, room);
}

bw_moments bw_column_moments(const bw_column *column) {
    bellwether_host_data_moments_t moments;
    bellwether_host_data_method_column_moments(glue_column(column), &moments);
    return (bw_moments){moments.count, moments.missing, moments.mean, moments.variance, moments.minimum, moments.maximum};
}

bw_numbers bw_column_quantiles(const bw_column *column, bw_numbers probabilities) {
    world_list_f64_t asked = {(double *)probabilities.data, probabilities.count}, list;
    bellwether_host_data_method_column_quantiles(glue_column(column), &asked, &list);
    double *quantiles = bw_alloc_numbers(probabilities.count);
    return (bw_numbers){quantiles, glue_take(&list, quantiles, probabilities.count)};
}

void bw_column_histogram(const bw_column *column, bw_numbers edges, uint64_t *counts) {
    world_list_f64_t asked = {(double *)edges.data, edges.count};
    world_list_u64_t list;
    bellwether_host_data_method_column_histogram(glue_column(column), &asked, &list);
    memset(counts, 0, (edges.count + 1) * sizeof *counts);
    if (list.len > 0) {
        memcpy(counts, list.ptr, (list.len < edges.count + 1 ? list.len : edges.count + 1) * sizeof *counts);
    }
    world_list_u64_free(&list);
}
