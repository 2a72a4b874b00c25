//! Components written by hand in WebAssembly text, for what no compiler would write.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::repository;

/// Packages that others stand on, in order.
const FOUNDATION: [&str; 3] = ["types", "nn", "host"];

/// Makes a component of the world `world` in `wit/<package>` from the text of a core module whose imports and exports are
/// named as the canonical ABI wants them.
///
/// # Panics
/// When the text is no module or does not fit the world.
pub fn component(package: &str, world: &str, text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("the text is no module: {error}"));
    let mut resolve = Resolve::default();
    let mut last = None;
    for folder in FOUNDATION.into_iter().chain([package]) {
        let pushed = resolve.push_dir(repository().join("wit").join(folder));
        last = Some(pushed.unwrap_or_else(|error| panic!("wit/{folder}: {error:#}")).0);
    }
    let world = resolve.select_world(&[last.expect("there is a package")], Some(world)).unwrap_or_else(|error| panic!("{error:#}"));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap_or_else(|error| panic!("{error:#}"));
    let encoded = ComponentEncoder::default().validate(true).module(&module).and_then(|encoder| encoder.encode());
    encoded.unwrap_or_else(|error| panic!("the module does not fit the world: {error:#}"))
}
