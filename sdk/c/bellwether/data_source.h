/* What `data.c` asks of the layer below: single reads, each clipped as the host clips it. Not for plugins. */
#ifndef BELLWETHER_DATA_SOURCE_H
#define BELLWETHER_DATA_SOURCE_H

#include "data.h"

/* Most numbers the host gives in one call. */
#define BW_READ_LIMIT 131072

/* Which read of windows is meant. */
typedef enum { BW_READ_WINDOWS, BW_READ_LAST, BW_READ_TARGETS } bw_windows_part;

/* Both return how many numbers they wrote, at most `room`; fewer than asked for when the host clips, 0 past the end. */
size_t bw_source_column(const bw_column *column, uint64_t offset, uint32_t count, double *values, size_t room);
size_t bw_source_windows(const bw_windows *windows, bw_windows_part part, uint64_t offset, uint32_t count, double *values, size_t room);

#endif
