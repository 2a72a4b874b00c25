//! `bellwether-guest-build <plugin folder> ...`: builds each plugin to the component its `plugin.toml` names. For those who
//! have the repository and no host yet; `bellwether plugin build` is the same.
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    if folders.is_empty() || folders.iter().any(|word| word.starts_with('-')) {
        eprintln!(
            "usage: bellwether-guest-build <plugin folder> ...\n\nBuilds each folder's plugin to the component its plugin.toml names."
        );
        return ExitCode::from(2);
    }
    for folder in &folders {
        match bellwether_guest_build::build_plugin(Path::new(folder), &mut |line| eprintln!("{line}")) {
            Ok(built) => println!("{} ({} KB)", built.component.display(), built.bytes.len().div_ceil(1024)),
            Err(error) => {
                eprintln!("{folder}: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
