//! Components built against an older version of the contract keep loading and are told all they were promised.

use bellwether_domain::rollout::{Action, Measurement, RolloutView, Side};
use bellwether_domain::time::Timestamp;
use bellwether_plugin::{Bundled, PluginHost, PluginsConfig};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::guests::generated::{DEPLOY_0_1_0, DEPLOY_0_1_0_MANIFEST};

#[test]
fn a_strategy_of_0_1_0_decides_under_0_2_0() {
    let cache = tempfile::tempdir().unwrap();
    let runtime = Runtime::new().unwrap();
    let config = PluginsConfig { cache: cache.path().to_owned(), ..PluginsConfig::default() };
    let bundled = [Bundled { manifest: DEPLOY_0_1_0_MANIFEST, component: DEPLOY_0_1_0 }];
    let host = runtime.block_on(PluginHost::open(config, &bundled)).unwrap();
    let info = host.inspect("deploy-0-1-0").unwrap();
    assert_eq!((info.state.as_str(), info.contract.as_str()), ("active", "0.1.0"), "{info:?}");
    assert!(info.exports.contains(&"bellwether:deploy/strategy@0.1.0".to_owned()), "{info:?}");

    let side = |model_id: &str| Side { model_id: model_id.to_owned(), share: 0.0, shadow: 0.0, measured: Measurement::default() };
    let mut view = RolloutView {
        id: "r".to_owned(),
        endpoint: "e".to_owned(),
        stable: Some(side("old")),
        candidate: side("new"),
        steps: vec![(0, Action::CheckHealth, 1.0)],
        elapsed_seconds: 2.5,
        now: Timestamp(1_733_486_400_000),
        health: None,
        analysis: None,
        approved: false,
        state: Vec::new(),
    };
    let strategy = host.strategy("deploy-0-1-0").unwrap();
    let settings = host.configure("deploy-0-1-0", &json!({})).unwrap();
    let first = runtime.block_on(strategy.next(&view, &settings)).unwrap();
    assert_eq!((first.action, first.reason.as_str()), (Action::PauseFor { seconds: 7 }, "old to new after 2.5 s"));
    view.state = first.state;
    assert_eq!(runtime.block_on(strategy.next(&view, &settings)).unwrap().action, Action::Promote);
}
