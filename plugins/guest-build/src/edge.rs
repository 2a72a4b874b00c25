//! What a WebAssembly file is and what stands at its edge, read without compiling or running it.
use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use wasmparser::{Parser, Payload};

/// A module or component seen from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    /// A component rather than a core module.
    pub is_component: bool,
    /// A core module that says of which world it is.
    pub has_types: bool,
    /// A component's imports; a core module's, by module.
    pub imports: Vec<String>,
    /// Names of exports.
    pub exports: Vec<String>,
}

impl Edge {
    /// Reads a file's bytes. Errors: it is no WebAssembly, or damaged.
    pub fn read(bytes: &[u8]) -> Result<Edge> {
        let mut edge = Edge::default();
        match (bytes.get(..4), bytes.get(4..8)) {
            (Some(b"\0asm"), Some([0x0d, 0, 1, 0])) => edge.is_component = true,
            (Some(b"\0asm"), Some([1, 0, 0, 0])) => {}
            _ => bail!("it is not WebAssembly: it does not begin with \\0asm and a version"),
        }
        let mut imports = BTreeSet::new();
        // A component holds modules and components, whose payloads come in between; only the outermost counts.
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.context("it is damaged or truncated")? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                payload if depth == 1 => edge.take(payload, &mut imports)?,
                _ => {}
            }
        }
        edge.imports = imports.into_iter().collect();
        Ok(edge)
    }

    fn take(&mut self, payload: Payload<'_>, imports: &mut BTreeSet<String>) -> Result<()> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imports.insert(import?.module.to_owned());
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.exports.push(export?.name.to_owned());
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    imports.insert(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) if section.name().starts_with("component-type") => self.has_types = true,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Edge;

    fn edge(text: &str) -> Edge {
        Edge::read(&wat::parse_str(text).unwrap()).unwrap()
    }

    #[test]
    fn modules_and_components_are_told_apart() {
        let module =
            edge(r#"(module (import "env" "f" (func)) (import "env" "g" (func)) (func (export "run")) (memory (export "memory") 1))"#);
        assert_eq!((module.is_component, module.has_types), (false, false));
        assert_eq!((module.imports, module.exports), (vec!["env".to_owned()], vec!["run".to_owned(), "memory".to_owned()]));
        assert!(edge(r#"(module (@custom "component-type:my" "x"))"#).has_types);

        // What the module inside exports is not at the component's edge.
        let text = r#"(component
            (import "a:b/c@0.1.0" (instance))
            (core module $m (func (export "inner")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "inner")))
            (export "outer" (func $f)))"#;
        let component = edge(text);
        assert!(component.is_component);
        assert_eq!((component.imports, component.exports), (vec!["a:b/c@0.1.0".to_owned()], vec!["outer".to_owned()]));
    }

    #[test]
    fn what_is_neither_is_refused() {
        assert!(Edge::read(b"hello").unwrap_err().to_string().contains("not WebAssembly"));
        let whole = wat::parse_str(r#"(module (func (export "run")))"#).unwrap();
        assert!(Edge::read(&whole[..whole.len() - 3]).unwrap_err().to_string().contains("damaged"));
    }
}
