//! What `bindgen!` makes of `wit/`: the only generated code of the crate, one private module per world.
//!
//! `base` holds the imports and shared types once; the worlds map onto it, so a frame lent to a drift test and windows
//! lent to a model are one Rust type each, and one implementation in [`crate::host`] serves every world.
//! Imports are synchronous (they compute, they never wait); only `wasi:http` waits, and that comes from `wasmtime-wasi-http`.
//! Exports are asynchronous, so that a guest yields and can be stopped.

pub(crate) use generated::{base, deploy, deploy_0_1, detector, drift, guest_model, handler, model};

mod generated {
    pub(crate) mod base {
        wasmtime::component::bindgen!({
            path: ["../../wit/types", "../../wit/host", "../../wit/nn"],
            inline: "
                package bellwether:base;
                world base {
                    import bellwether:types/common@0.1.0;
                    import bellwether:nn/network@0.1.0;
                    import bellwether:host/log@0.1.0;
                    import bellwether:host/data@0.1.0;
                    import bellwether:host/stats@0.1.0;
                    import bellwether:host/random@0.1.0;
                    import bellwether:host/clock@0.1.0;
                    import bellwether:host/secrets@0.1.0;
                    import bellwether:host/progress@0.1.0;
                    export bellwether:types/plugin@0.1.0;
                }
            ",
            world: "bellwether:base/base",
            imports: { default: trappable },
            exports: { default: async },
            with: {
                "bellwether:host/data.column": crate::host::data::LentColumn,
                "bellwether:host/data.frame": crate::frame::Frame,
                "bellwether:host/data.windows": crate::host::data::LentWindows,
            },
            additional_derives: [PartialEq],
        });
    }

    pub(crate) mod drift {
        wasmtime::component::bindgen!({
            path: ["../../wit/types", "../../wit/host", "../../wit/drift"],
            world: "bellwether:drift/drift-test",
            imports: { default: trappable },
            exports: { default: async },
            with: { "bellwether:types/common": super::base::bellwether::types::common, "bellwether:host": super::base::bellwether::host },
            additional_derives: [PartialEq],
        });
    }

    pub(crate) mod detector {
        wasmtime::component::bindgen!({
            path: ["../../wit/types", "../../wit/host", "../../wit/drift"],
            world: "bellwether:drift/drift-detector",
            imports: { default: trappable },
            exports: { default: async },
            with: { "bellwether:types/common": super::base::bellwether::types::common, "bellwether:host": super::base::bellwether::host },
            additional_derives: [PartialEq],
        });
    }

    pub(crate) mod model {
        wasmtime::component::bindgen!({
            path: ["../../wit/types", "../../wit/host", "../../wit/nn", "../../wit/model"],
            world: "bellwether:model/model",
            imports: { default: trappable },
            exports: { default: async },
            with: {
                "bellwether:types/common": super::base::bellwether::types::common,
                "bellwether:host": super::base::bellwether::host,
                "bellwether:nn": super::base::bellwether::nn,
            },
            additional_derives: [PartialEq],
        });
    }

    pub(crate) mod guest_model {
        wasmtime::component::bindgen!({
            path: ["../../wit/types", "../../wit/host", "../../wit/nn", "../../wit/model"],
            inline: "
                package bellwether:estimating;
                world estimating {
                    import bellwether:host/data@0.1.0;
                    export bellwether:model/estimator@0.1.0;
                }
            ",
            world: "bellwether:estimating/estimating",
            imports: { default: trappable },
            exports: { default: async },
            with: { "bellwether:types/common": super::base::bellwether::types::common, "bellwether:host": super::base::bellwether::host },
            additional_derives: [PartialEq],
        });
    }

    pub(crate) mod handler {
        wasmtime::component::bindgen!({
            path: [
                "../../wit/types", "../../wit/host", "../../wit/wasi/io.wit", "../../wit/wasi/clocks.wit", "../../wit/wasi/random.wit",
                "../../wit/wasi/filesystem.wit", "../../wit/wasi/sockets.wit", "../../wit/wasi/cli.wit", "../../wit/wasi/http.wit",
                "../../wit/alert",
            ],
            inline: "
                package bellwether:handling;
                world handling { export bellwether:alert/handler@0.1.0; }
            ",
            world: "bellwether:handling/handling",
            imports: { default: trappable },
            exports: { default: async },
            with: { "bellwether:types/common": super::base::bellwether::types::common },
            additional_derives: [PartialEq],
        });
    }

    pub(crate) mod deploy {
        wasmtime::component::bindgen!({
            path: ["../../wit/types", "../../wit/host", "../../wit/deploy"],
            world: "bellwether:deploy/deployment-strategy",
            imports: { default: trappable },
            exports: { default: async },
            with: { "bellwether:types/common": super::base::bellwether::types::common, "bellwether:host": super::base::bellwether::host },
            additional_derives: [PartialEq],
        });
    }

    /// What components built against 0.1.0 speak.
    pub(crate) mod deploy_0_1 {
        wasmtime::component::bindgen!({
            path: ["../../wit/types", "../../wit/host", "../../wit/deploy-0.1.0"],
            world: "bellwether:deploy/deployment-strategy",
            imports: { default: trappable },
            exports: { default: async },
            with: { "bellwether:types/common": super::base::bellwether::types::common, "bellwether:host": super::base::bellwether::host },
            additional_derives: [PartialEq],
        });
    }
}
