//! What `wit-bindgen` makes of `wit/`: the only expansion of it, hidden from authors.
//!
//! `shared` holds every host interface and every type a plugin may use, `http` outgoing HTTP; each kind's module maps
//! those and adds only its exports. So one type has one name in all worlds. A component lists only what it calls:
//! imports nobody uses vanish when it is made, and a world's exports exist only where
//! [`register!`](crate::register) expands its export macro.

#[doc(hidden)]
pub use wit_bindgen::rt;

/// The host's interfaces and all types.
pub mod shared {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/nn"],
        inline: "
            package bellwether:sdk;
            world imports {
                import bellwether:types/common@0.1.0;
                import bellwether:nn/network@0.1.0;
                import bellwether:host/log@0.1.0;
                import bellwether:host/data@0.1.0;
                import bellwether:host/stats@0.1.0;
                import bellwether:host/random@0.1.0;
                import bellwether:host/clock@0.1.0;
                import bellwether:host/secrets@0.1.0;
                import bellwether:host/progress@0.1.0;
            }
        ",
        world: "bellwether:sdk/imports",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq],
        runtime_path: "::bellwether_sdk::bindings::rt",
    });
}

/// Outgoing HTTP.
pub mod http {
    wit_bindgen::generate!({
        path: [
            "../../wit/wasi/io.wit",
            "../../wit/wasi/clocks.wit",
            "../../wit/wasi/random.wit",
            "../../wit/wasi/filesystem.wit",
            "../../wit/wasi/sockets.wit",
            "../../wit/wasi/cli.wit",
            "../../wit/wasi/http.wit",
        ],
        inline: "
            package bellwether:sdk-http;
            world imports {
                import wasi:http/outgoing-handler@0.2.12;
            }
        ",
        world: "bellwether:sdk-http/imports",
        generate_all,
        runtime_path: "::bellwether_sdk::bindings::rt",
    });
}

/// Expands one exported interface, over the shared types. A kind's world is the sum of its interfaces, so an interface
/// of several worlds (`plugin` of all, `planner` of both model worlds) is expanded once.
macro_rules! exported {
    ($(#[$doc:meta])* $module:ident, $inline:literal, $world:literal, $path:tt, {$($with:tt)*}) => {
        $(#[$doc])*
        pub mod $module {
            wit_bindgen::generate!({
                path: $path,
                inline: $inline,
                world: $world,
                with: { $($with)* },
                generate_all,
                generate_unused_types: true,
                additional_derives: [PartialEq],
                pub_export_macro: true,
                runtime_path: "::bellwether_sdk::bindings::rt",
            });
        }
    };
}
exported!(
    /// What the plugin is; every world.
    plugin,
    "package bellwether:sdk-plugin; world plugin-exports { export bellwether:types/plugin@0.1.0; }",
    "bellwether:sdk-plugin/plugin-exports",
    ["../../wit/types"],
    {
        "bellwether:types/common@0.1.0": crate::bindings::shared::bellwether::types::common,
    }
);
exported!(
    /// What a model is.
    planner,
    "package bellwether:sdk-planner; world planner-exports { export bellwether:model/planner@0.1.0; }",
    "bellwether:sdk-planner/planner-exports",
    ["../../wit/types", "../../wit/host", "../../wit/nn", "../../wit/model"],
    {
        "bellwether:types/common@0.1.0": crate::bindings::shared::bellwether::types::common,
        "bellwether:nn/network@0.1.0": crate::bindings::shared::bellwether::nn::network,
    }
);
exported!(
    /// How a model that is no network learns.
    estimator,
    "package bellwether:sdk-estimator; world estimator-exports { export bellwether:model/estimator@0.1.0; }",
    "bellwether:sdk-estimator/estimator-exports",
    ["../../wit/types", "../../wit/host", "../../wit/nn", "../../wit/model"],
    {
        "bellwether:types/common@0.1.0": crate::bindings::shared::bellwether::types::common,
        "bellwether:host/data@0.1.0": crate::bindings::shared::bellwether::host::data,
    }
);
exported!(
    /// A two-sample drift test.
    drift_test,
    "package bellwether:sdk-drift-test; world drift-test-exports { export bellwether:drift/test@0.1.0; }",
    "bellwether:sdk-drift-test/drift-test-exports",
    ["../../wit/types", "../../wit/host", "../../wit/drift"],
    {
        "bellwether:types/common@0.1.0": crate::bindings::shared::bellwether::types::common,
        "bellwether:host/data@0.1.0": crate::bindings::shared::bellwether::host::data,
    }
);
exported!(
    /// A streaming drift detector.
    drift_detector,
    "package bellwether:sdk-drift-detector; world drift-detector-exports { export bellwether:drift/detector@0.1.0; }",
    "bellwether:sdk-drift-detector/drift-detector-exports",
    ["../../wit/types", "../../wit/host", "../../wit/drift"],
    {
        "bellwether:types/common@0.1.0": crate::bindings::shared::bellwether::types::common,
    }
);
exported!(
    /// Delivery of an alert.
    alert_handler,
    "package bellwether:sdk-alert-handler; world alert-handler-exports { export bellwether:alert/handler@0.1.0; }",
    "bellwether:sdk-alert-handler/alert-handler-exports",
    ["../../wit/wasi/io.wit", "../../wit/wasi/clocks.wit", "../../wit/wasi/random.wit", "../../wit/wasi/filesystem.wit", "../../wit/wasi/sockets.wit", "../../wit/wasi/cli.wit", "../../wit/wasi/http.wit", "../../wit/types", "../../wit/host", "../../wit/alert"],
    {
        "bellwether:types/common@0.1.0": crate::bindings::shared::bellwether::types::common,
    }
);
exported!(
    /// The next step of a rollout.
    deployment_strategy,
    "package bellwether:sdk-deployment-strategy; world deployment-strategy-exports { export bellwether:deploy/strategy@0.2.0; }",
    "bellwether:sdk-deployment-strategy/deployment-strategy-exports",
    ["../../wit/types", "../../wit/host", "../../wit/deploy"],
    {
        "bellwether:types/common@0.1.0": crate::bindings::shared::bellwether::types::common,
    }
);
