// The time, for alert handlers that were granted one (`clock = true` under [wants]). Prefer times passed as arguments, such as
// `alert.startedAtMs` and `rollout.nowMs`: they can be replayed.

import { part } from "./host.js";

/** Milliseconds since 1970-01-01T00:00:00Z. */
export const nowMs = (): number => part("clock").nowMs();
