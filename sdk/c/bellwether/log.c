/* Lines of the log as printf makes them. */
#include "host.h"

void bw_log(bw_log_level level, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bw_host_log(level, bw_textv(format, arguments));
    va_end(arguments);
}
