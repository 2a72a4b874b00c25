//! The worlds of `wit/`, carried along, so that a core module gets its world's types wherever the tool runs.
//!
//! Modules made by `wit-bindgen` carry their types themselves. Those of other compilers name their exports as the canonical
//! ABI wants them and carry none; kind and contract version of the manifest say which world is theirs.
use anyhow::{Result, anyhow, bail};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve, UnresolvedPackageGroup};

/// Packages others stand on, in order.
const FOUNDATION: [(&str, &str); 3] = [
    ("types.wit", include_str!("../../../wit/types/types.wit")),
    ("nn.wit", include_str!("../../../wit/nn/nn.wit")),
    ("host.wit", include_str!("../../../wit/host/host.wit")),
];

/// What the world of alert handlers stands on besides, in order.
const WASI: [(&str, &str); 7] = [
    ("io.wit", include_str!("../../../wit/wasi/io.wit")),
    ("clocks.wit", include_str!("../../../wit/wasi/clocks.wit")),
    ("random.wit", include_str!("../../../wit/wasi/random.wit")),
    ("filesystem.wit", include_str!("../../../wit/wasi/filesystem.wit")),
    ("sockets.wit", include_str!("../../../wit/wasi/sockets.wit")),
    ("cli.wit", include_str!("../../../wit/wasi/cli.wit")),
    ("http.wit", include_str!("../../../wit/wasi/http.wit")),
];

const DRIFT: (&str, &str) = ("drift.wit", include_str!("../../../wit/drift/drift.wit"));
const ALERT: (&str, &str) = ("alert.wit", include_str!("../../../wit/alert/alert.wit"));
const MODEL: (&str, &str) = ("model.wit", include_str!("../../../wit/model/model.wit"));
const DEPLOY: (&str, &str) = ("deploy.wit", include_str!("../../../wit/deploy/deploy.wit"));
const DEPLOY_0_1: (&str, &str) = ("deploy.wit", include_str!("../../../wit/deploy-0.1.0/deploy.wit"));

/// The world of a core module: its package, what that stands on besides the foundation, its name.
#[derive(Debug)]
struct World {
    package: (&'static str, &'static str),
    below: &'static [(&'static str, &'static str)],
    name: &'static str,
}

/// Embeds the types of the world that `kind` and `contract` name; `exports` tell model worlds apart.
pub(crate) fn embed(module: &mut Vec<u8>, kind: &str, contract: &str, exports: &[String]) -> Result<()> {
    let world = world(kind, contract, exports)?;
    let mut resolve = Resolve::default();
    for source in FOUNDATION.iter().chain(world.below) {
        push(&mut resolve, source)?;
    }
    let package = push(&mut resolve, &world.package)?;
    let id = resolve.select_world(&[package], Some(world.name))?;
    embed_component_metadata(module, &resolve, id, StringEncoding::UTF8, false)
}

fn world(kind: &str, contract: &str, exports: &[String]) -> Result<World> {
    let fits_itself = exports.iter().any(|export| export.starts_with("bellwether:model/estimator@"));
    let plain = |package, name| World { package, below: &[], name };
    Ok(match kind {
        "drift-test" => plain(DRIFT, "drift-test"),
        "drift-detector" => plain(DRIFT, "drift-detector"),
        "alert-handler" => World { package: ALERT, below: &WASI, name: "alert-handler" },
        "deployment-strategy" if contract.starts_with("0.1.") => plain(DEPLOY_0_1, "deployment-strategy"),
        "deployment-strategy" => plain(DEPLOY, "deployment-strategy"),
        "model" if fits_itself => plain(MODEL, "guest-model"),
        "model" => plain(MODEL, "model"),
        _ => bail!("`{kind}` is no kind of plugin"),
    })
}

fn push(resolve: &mut Resolve, (name, text): &(&str, &str)) -> Result<PackageId> {
    let group = UnresolvedPackageGroup::parse(name, text).map_err(|(_, error)| anyhow!("{name}: {error}"))?;
    Ok(resolve.push_group(group)?)
}

#[cfg(test)]
mod tests {
    use super::{embed, world};

    #[test]
    fn every_kind_has_its_world() {
        for (kind, contract) in [
            ("drift-test", "0.1.0"),
            ("drift-detector", "0.1.0"),
            ("alert-handler", "0.1.0"),
            ("deployment-strategy", "0.1.0"),
            ("deployment-strategy", "0.2.0"),
            ("model", "0.1.0"),
        ] {
            let mut module = wat::parse_str("(module)").unwrap();
            let before = module.len();
            embed(&mut module, kind, contract, &[]).unwrap_or_else(|error| panic!("{kind} {contract}: {error:#}"));
            assert!(module.len() > before + 100, "{kind}");
        }
        assert!(embed(&mut Vec::new(), "modle", "0.1.0", &[]).unwrap_err().to_string().contains("`modle` is no kind"));
    }

    #[test]
    fn a_model_that_fits_itself_has_another_world() {
        let named = |exports: &[&str]| {
            let exports: Vec<String> = exports.iter().map(|export| (*export).to_owned()).collect();
            world("model", "0.1.0", &exports).unwrap().name
        };
        assert_eq!(named(&["bellwether:model/planner@0.1.0#plan"]), "model");
        assert_eq!(named(&["bellwether:model/planner@0.1.0#plan", "bellwether:model/estimator@0.1.0#fit"]), "guest-model");
    }
}
