//! The macro that makes a crate a plugin.

/// Exports a type as the plugin of this crate: `register!(drift_test: MyTest);`. Once per crate. The word before the colon
/// is the kind: `model`, `guest_model`, `drift_test`, `drift_detector`, `alert_handler` or `deployment_strategy`.
///
/// Off WebAssembly it only checks that the type implements the kind's traits.
#[macro_export]
macro_rules! register {
    (model: $plugin:ident) => {
        $crate::register!(@check $plugin, ModelType);
        $crate::register!(@export $plugin, plugin, planner);
    };
    (guest_model: $plugin:ident) => {
        $crate::register!(@check $plugin, Estimator);
        $crate::register!(@export $plugin, plugin, planner, estimator);
    };
    (drift_test: $plugin:ident) => {
        $crate::register!(@check $plugin, DriftTest);
        $crate::register!(@export $plugin, plugin, drift_test);
    };
    (drift_detector: $plugin:ident) => {
        $crate::register!(@check $plugin, DriftDetector);
        $crate::register!(@export $plugin, plugin, drift_detector);
    };
    (alert_handler: $plugin:ident) => {
        $crate::register!(@check $plugin, AlertHandler);
        $crate::register!(@export $plugin, plugin, alert_handler);
    };
    (deployment_strategy: $plugin:ident) => {
        $crate::register!(@check $plugin, DeploymentStrategy);
        $crate::register!(@export $plugin, plugin, deployment_strategy);
    };
    (@check $plugin:ident, $kind:ident) => {
        const _: () = {
            const fn implements<T: $crate::$kind>() {}
            implements::<$plugin>()
        };
    };
    (@export $plugin:ident, $($interface:ident),+) => {
        $(
            #[cfg(target_family = "wasm")]
            $crate::bindings::$interface::export!($plugin with_types_in $crate::bindings::$interface);
        )+
    };
}
