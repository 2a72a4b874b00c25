/* Rollouts played to their end. */
#include "bellwether/deployment_strategy.h"
#include "bellwether/testing/testing.h"

static const bw_deployment_strategy *const plugin = &bw_deployment_strategy_plugin;

static const char *shown(bw_action action) {
    switch (action.kind) {
    case BW_SET_WEIGHT:
        return bw_textf("share %g", action.share).data;
    case BW_PAUSE_FOR:
        return bw_textf("wait %u", action.seconds).data;
    case BW_CHECK_HEALTH:
        return "check";
    case BW_ANALYSE:
        return bw_textf("measure %u", action.seconds).data;
    case BW_PROMOTE:
        return "promote";
    case BW_ROLLBACK:
        return bw_textf("back: %s", action.reason.data).data;
    case BW_SET_REPLICAS:
    case BW_PAUSE_UNTIL_APPROVED:
        break;
    }
    return "other";
}

/* Plays a rollout until it ends, with the same results at every step. */
static bw_text play(const char *config_text, const bw_health *health, const bw_analysis *analysis) {
    const bw_json *config = bw_test_config(&plugin->plugin, config_text);
    bw_rollout rollout = bw_test_rollout("lstm_1", "lstm_2");
    rollout.health = health;
    rollout.analysis = analysis;
    bw_text story = bw_text_of("");
    for (int step = 0; step < 20; step++) {
        bw_decision decision = {0};
        if (!BW_EXPECT_OK(plugin->next(&rollout, config, &decision)) || !BW_EXPECT(decision.reason.length > 0)) {
            break;
        }
        story = bw_textf("%s%s, ", story.data, shown(decision.action));
        if (decision.action.kind == BW_PROMOTE || decision.action.kind == BW_ROLLBACK) {
            break;
        }
        rollout.state = decision.state;
    }
    return story;
}

static void test_rollouts_end_well_or_go_back(void) {
    bw_health healthy = {.passed = true}, ill = {.reasons = BW_TEXTS("it is slow", "it is wrong")};
    bw_analysis passed = {.verdict = BW_PASSED}, worse = {.verdict = BW_FAILED, .reasons = BW_TEXTS("errors")}, empty = {.verdict = BW_TOO_LITTLE_DATA};
    BW_EXPECT_TEXT(play("{}", &healthy, &passed),
                   "check, share 0.05, measure 600, share 0.25, measure 600, share 0.5, measure 600, promote, ");
    BW_EXPECT_TEXT(play("{}", &ill, NULL), "check, back: the health check failed: it is slow; it is wrong, ");
    BW_EXPECT_TEXT(play("{}", NULL, NULL), "check, back: the health check gave no result, ");
    BW_EXPECT_TEXT(play("{\"shares\": [1]}", &healthy, &worse), "check, share 1, measure 600, back: the candidate did worse: errors, ");
    BW_EXPECT_TEXT(play("{\"shares\": [1]}", &healthy, &empty),
                   "check, share 1, measure 600, back: too few requests for a verdict: no data is no pass, ");
}

static void test_traffic_waits_for_its_hours(void) {
    const bw_json *config = bw_test_config(&plugin->plugin, "{\"from_hour\": 9, \"to_hour\": 17}");
    bw_health healthy = {.passed = true};
    bw_rollout rollout = bw_test_rollout("lstm_1", "lstm_2");
    bw_decision decision = {0};
    BW_EXPECT_OK(plugin->next(&rollout, config, &decision));
    rollout.state = decision.state;
    rollout.health = &healthy;
    static const struct {
        int hour;
        const char *action;
    } rows[] = {{8, "wait 3600"}, {9, "share 0.05"}, {16, "share 0.05"}, {17, "wait 57600"}};
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        rollout.now_ms = 1700006400000 + rows[row].hour * 3600000LL;
        BW_EXPECT_OK(plugin->next(&rollout, config, &decision));
        BW_EXPECT_TEXT(bw_text_of(shown(decision.action)), rows[row].action);
    }
}

static void test_what_makes_no_sense_is_refused(void) {
    const bw_json *config;
    BW_EXPECT_ERROR(bw_test_try_config(&plugin->plugin, "{\"shares\": [0.5, 0.1]}", &config), BW_INVALID_CONFIG, "must ascend");
    BW_EXPECT_ERROR(bw_test_try_config(&plugin->plugin, "{\"from_hour\": 9, \"to_hour\": 9}", &config), BW_INVALID_CONFIG, "must be smaller");
    config = bw_test_config(&plugin->plugin, "{}");
    bw_rollout rollout = bw_test_rollout(NULL, "lstm_2");
    rollout.state = (bw_bytes){(const uint8_t *)"foreign", 7};
    bw_decision decision = {0};
    BW_EXPECT_ERROR(plugin->next(&rollout, config, &decision), BW_INVALID_INPUT, "not a");
}

int main(void) {
    bw_test_schema(&plugin->plugin, "{}");
    test_rollouts_end_well_or_go_back();
    test_traffic_waits_for_its_hours();
    test_what_makes_no_sense_is_refused();
    return bw_test_result();
}
