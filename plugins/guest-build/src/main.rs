//! `bellwether-guest-build <plugin folder> ...`: builds each plugin to the component its `plugin.toml` names.
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    if folders.is_empty() || folders.iter().any(|word| word.starts_with('-')) {
        eprintln!(
            "usage: bellwether-guest-build <plugin folder> ...\n\nBuilds each folder's Rust plugin to the component its plugin.toml names."
        );
        return ExitCode::from(2);
    }
    for folder in &folders {
        match bellwether_guest_build::build_plugin(Path::new(folder)) {
            Ok(component) => {
                let bytes = std::fs::metadata(&component).map_or(0, |data| data.len());
                println!("{} ({} KB)", component.display(), bytes.div_ceil(1024));
            }
            Err(error) => {
                eprintln!("{folder}: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
