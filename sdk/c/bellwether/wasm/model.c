/* The world `model`: a network or an ensemble. */
#include "../bindings/model/world.h"

#include "glue.h"

#include "planner.h"
