/* Everything a plugin of any kind may use, but for the kind itself: include `drift_test.h`, `drift_detector.h`,
 * `alert_handler.h`, `deployment_strategy.h` or `model.h`, each of which includes what its kind needs.
 */
#ifndef BELLWETHER_H
#define BELLWETHER_H

#include "data.h"
#include "http.h"
#include "network.h"
#include "plugin.h"

#endif
