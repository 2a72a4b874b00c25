/* Actions of a strategy. */
#include "deployment_strategy.h"

bw_action bw_set_weight(double share, double shadow) {
    return (bw_action){.kind = BW_SET_WEIGHT, .share = share, .shadow = shadow};
}

bw_action bw_set_replicas(uint32_t updated, uint32_t total) {
    return (bw_action){.kind = BW_SET_REPLICAS, .updated = updated, .total = total};
}

bw_action bw_pause_for(uint32_t seconds) {
    return (bw_action){.kind = BW_PAUSE_FOR, .seconds = seconds};
}

bw_action bw_pause_until_approved(void) {
    return (bw_action){.kind = BW_PAUSE_UNTIL_APPROVED};
}

bw_action bw_check_health(void) {
    return (bw_action){.kind = BW_CHECK_HEALTH};
}

bw_action bw_analyse(bw_texts metrics, uint32_t seconds, uint64_t least_requests) {
    return (bw_action){.kind = BW_ANALYSE, .metrics = metrics, .seconds = seconds, .least_requests = least_requests};
}

bw_action bw_promote(void) {
    return (bw_action){.kind = BW_PROMOTE};
}

bw_decision bw_rollback(bw_text reason) {
    return (bw_decision){.action = {.kind = BW_ROLLBACK, .reason = reason}, .reason = reason};
}
