/* What keeps the module closed: nothing of WASI, nothing the linker would miss.
 *
 * The guard of the stack, which the C library would draw from WASI's randomness at start, is a constant here: an instance runs one
 * call of one plugin, and a fixed guard finds the same overruns.
 */
#include <stdint.h>

uintptr_t __stack_chk_guard = 0x00E1B0AFu;

_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void) {
    __builtin_trap();
}

/* The bindings ask for the object that holds the world's type; `bellwether plugin build` embeds the type instead. */
void __component_type_object_force_link_world(void);

void __component_type_object_force_link_world(void) {
}
