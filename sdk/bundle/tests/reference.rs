//! The contract as a page for plugin authors: every package, interface, type and function of `wit/` with its documentation.
//!
//! The texts are those of the WIT files, so the page cannot say anything else than they do. `wit/README.md` is kept equal to what
//! this writes: `BELLWETHER_WRITE=1 cargo test -p bellwether-templates --test reference` writes it anew.
#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

use std::fmt::Write;
use std::path::Path;

use wit_parser::{Docs, Function, Handle, Interface, PackageId, Resolve, Type, TypeDef, TypeDefKind, TypeId, World, WorldItem, WorldKey};

/// The packages in the order a reader wants them.
const PACKAGES: [&str; 7] = ["types", "host", "model", "nn", "drift", "alert", "deploy"];

/// What stands before the packages.
const HEAD: &str = "\
# The contract with plugins

Made from the WIT files in this folder, where every item is documented; `bellwether wit` prints them. One world per kind of
plugin; each package has its own version, and the contract's version is that of its newest package. A component built against
an older version keeps loading: frozen versions lie in folders of their own (`deploy-0.1.0`).

Bulk numbers never cross as lists of records: columns and windows belong to the host, a plugin borrows them for one call and
reads what it needs in chunks, as `list<f64>` or as packed little-endian bytes, or asks for an aggregate.
";

/// The page. `wit` is the folder with a folder per package.
fn reference(wit: &Path) -> String {
    let mut resolve = Resolve::default();
    // `wasi` lies in one folder as several packages of one file each, in the order of their dependence.
    for file in ["io", "clocks", "random", "filesystem", "sockets", "cli", "http"] {
        resolve.push_path(wit.join("wasi").join(file).with_extension("wit")).unwrap();
    }
    let mut packages = Vec::new();
    for name in ["types", "host", "nn", "model", "drift", "alert", "deploy"] {
        packages.push((name, resolve.push_path(wit.join(name)).unwrap().0));
    }
    let mut page = Page { resolve: &resolve, text: HEAD.to_owned() };
    for name in PACKAGES {
        let package = packages.iter().find(|(found, _)| *found == name).unwrap();
        page.package(package.1);
    }
    page.text
}

#[test]
fn the_page_says_what_the_contract_says() {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let page = reference(&wit);
    let path = wit.join("README.md");
    #[expect(clippy::disallowed_methods, reason = "a person asks for the page to be written")]
    if std::env::var("BELLWETHER_WRITE").is_ok() {
        fs_err::write(&path, &page).unwrap();
    }
    assert!(fs_err::read_to_string(&path).unwrap() == page, "{} is not up to date: write it anew", path.display());
}

struct Page<'a> {
    resolve: &'a Resolve,
    text: String,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A documentation comment as one paragraph per block.
    fn docs(&mut self, docs: &Docs) {
        if let Some(text) = docs.contents.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            self.line("");
            self.line(text);
        }
    }

    fn package(&mut self, id: PackageId) {
        let package = &self.resolve.packages[id];
        self.line(&format!("\n## `{}`", package.name));
        self.docs(&package.docs);
        for world in package.worlds.values() {
            self.world(&self.resolve.worlds[*world]);
        }
        for (name, interface) in &package.interfaces {
            self.interface(name, &self.resolve.interfaces[*interface]);
        }
    }

    fn world(&mut self, world: &World) {
        self.line(&format!("\n### world `{}`", world.name));
        self.docs(&world.docs);
        for (what, items) in [("imports", &world.imports), ("exports", &world.exports)] {
            let mut names: Vec<String> = items.iter().filter_map(|(key, item)| self.item(key, item)).collect();
            names.sort();
            if !names.is_empty() {
                self.line(&format!("\n- {what}: {}", names.join(", ")));
            }
        }
    }

    /// An interface by its full name; interfaces of types alone and WASI's own foundations are left out.
    fn item(&self, key: &WorldKey, item: &WorldItem) -> Option<String> {
        let WorldItem::Interface { id, .. } = item else { return None };
        let name = match key {
            WorldKey::Name(name) => name.clone(),
            WorldKey::Interface(id) => self.resolve.id_of(*id)?,
        };
        let plain = self.resolve.interfaces[*id].functions.is_empty() || (name.starts_with("wasi:") && !name.contains("outgoing-handler"));
        (!plain).then(|| format!("`{name}`"))
    }

    fn interface(&mut self, name: &str, interface: &Interface) {
        self.line(&format!("\n### interface `{name}`"));
        self.docs(&interface.docs);
        for id in interface.types.values() {
            self.definition(&self.resolve.types[*id]);
        }
        for function in interface.functions.values().filter(|function| function.kind.resource().is_none()) {
            self.function(function, "\n#### ");
        }
        for id in interface.types.values().filter(|id| matches!(self.resolve.types[**id].kind, TypeDefKind::Resource)) {
            self.line(&format!("\n#### methods of `{}`", self.name(*id)));
            for function in interface.functions.values().filter(|function| function.kind.resource() == Some(*id)) {
                self.method(function);
            }
        }
    }

    fn definition(&mut self, definition: &TypeDef) {
        let name = definition.name.clone().unwrap_or_default();
        let kind = match &definition.kind {
            // A name taken over from another interface.
            TypeDefKind::Type(Type::Id(_)) => return,
            TypeDefKind::Type(kind) => format!("type = {}", self.kind(kind)),
            other => other.as_str().to_owned(),
        };
        self.line(&format!("\n#### `{name}` ({kind})"));
        self.docs(&definition.docs);
        let rows: Vec<(String, Option<String>, Docs)> = match &definition.kind {
            TypeDefKind::Record(record) => {
                record.fields.iter().map(|field| (field.name.clone(), Some(self.kind(&field.ty)), field.docs.clone())).collect()
            }
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().map(|case| (case.name.clone(), case.ty.map(|kind| self.kind(&kind)), case.docs.clone())).collect()
            }
            TypeDefKind::Enum(cases) => cases.cases.iter().map(|case| (case.name.clone(), None, case.docs.clone())).collect(),
            _ => Vec::new(),
        };
        if !rows.is_empty() {
            self.line("");
        }
        for (name, kind, docs) in rows {
            let kind = kind.map(|kind| format!(": `{kind}`")).unwrap_or_default();
            let docs = docs.contents.as_deref().map(one_line).filter(|text| !text.is_empty());
            self.line(&format!("- `{name}`{kind}{}", docs.map(|text| format!(" — {text}")).unwrap_or_default()));
        }
    }

    fn function(&mut self, function: &Function, heading: &str) {
        self.line(&format!("{heading}`{}`", self.signature(function)));
        self.docs(&function.docs);
    }

    fn method(&mut self, function: &Function) {
        let docs = function.docs.contents.as_deref().map(one_line).unwrap_or_default();
        self.line(&format!("\n- `{}` — {docs}", self.signature(function)));
    }

    fn signature(&self, function: &Function) -> String {
        let own = |name: &str| name != "self";
        let parameters: Vec<String> = function
            .params
            .iter()
            .filter(|parameter| own(&parameter.name))
            .map(|parameter| format!("{}: {}", parameter.name, self.kind(&parameter.ty)))
            .collect();
        let mut text = format!("{}({})", function.item_name(), parameters.join(", "));
        if let Some(result) = &function.result {
            write!(text, " -> {}", self.kind(result)).unwrap();
        }
        text
    }

    fn name(&self, id: TypeId) -> String {
        self.resolve.types[id].name.clone().unwrap_or_default()
    }

    /// A type as WIT writes it.
    fn kind(&self, kind: &Type) -> String {
        let Type::Id(id) = kind else { return primitive(kind).to_owned() };
        let definition = &self.resolve.types[*id];
        if let Some(name) = &definition.name {
            return name.clone();
        }
        let optional = |kind: &Option<Type>| kind.as_ref().map_or_else(|| "_".to_owned(), |kind| self.kind(kind));
        match &definition.kind {
            TypeDefKind::Handle(Handle::Own(id)) => self.name(*id),
            TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", self.name(*id)),
            TypeDefKind::Tuple(tuple) => {
                format!("tuple<{}>", tuple.types.iter().map(|kind| self.kind(kind)).collect::<Vec<_>>().join(", "))
            }
            TypeDefKind::Option(inner) => format!("option<{}>", self.kind(inner)),
            TypeDefKind::List(inner) => format!("list<{}>", self.kind(inner)),
            TypeDefKind::Result(result) => format!("result<{}, {}>", optional(&result.ok), optional(&result.err)),
            TypeDefKind::Type(inner) => self.kind(inner),
            other => other.as_str().to_owned(),
        }
    }
}

fn primitive(kind: &Type) -> &'static str {
    match kind {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(_) => "",
    }
}

/// A comment without its line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
