//! The house rules: layers, file length, the one dial site, no `unsafe`.

use std::path::{Path, PathBuf};
use ucx_egress::config::warnings::OPEN_ADMIN;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("the entry is readable").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("source is UTF-8");
                found.push((path.strip_prefix(root).expect("under the root").to_path_buf(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no source");
    found
}

/// The modules in the order `lib.rs` declares them.
fn layers() -> Vec<String> {
    let lib = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs is there");
    lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect()
}

fn module_of(path: &Path) -> String {
    let first = path.components().nth(1).expect("src/module");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The code without comments and without its tests.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_module_uses_only_those_above_it() {
    let layers = layers();
    assert!(layers.len() > 10, "{layers:?}");
    for (path, text) in sources("src") {
        let module = module_of(&path);
        let Some(own) = layers.iter().position(|layer| *layer == module) else { continue };
        for used in code(&text).split("crate::").skip(1) {
            let name: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if let Some(layer) = layers.iter().position(|layer| *layer == name) {
                assert!(layer <= own, "{}: {module} uses {name}, which is declared below it", path.display());
            }
        }
    }
}

#[test]
fn the_map_names_every_module() {
    let lib = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs is there");
    for layer in layers() {
        assert!(lib.contains(&format!("//! | [`{layer}`] |")), "the map of lib.rs does not name {layer}");
    }
    for (path, _) in sources("src") {
        let module = module_of(&path);
        assert!(layers().contains(&module) || ["lib", "main"].contains(&module.as_str()), "lib.rs does not declare {module}");
    }
}

#[test]
fn no_file_is_over_500_lines() {
    for folder in ["src", "tests", "benches", "fuzz/src", "fuzz/fuzz_targets"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= 500, "{} has {lines} lines", path.display());
        }
    }
}

/// Only `dial.rs` connects; the demonstration's own client is a client of the proxy.
#[test]
fn there_is_one_dial_site() {
    let mut sites = Vec::new();
    for (path, text) in sources("src") {
        let code = code(&text);
        if ["TcpStream::connect", "TcpSocket::connect", ".connect(", "disallowed_methods"].iter().any(|call| code.contains(call)) {
            sites.push(path.display().to_string());
        }
    }
    sites.sort();
    assert_eq!(sites, ["src/cli/demo/client.rs", "src/upstream/dial.rs"]);
}

/// No proxy that serves can be made to panic: only what starts one for a drill can arm anything.
#[test]
fn only_the_drill_arms_faults() {
    let mut armed = Vec::new();
    for (path, text) in sources("src") {
        if ["armable(", ".arm("].iter().any(|call| code(&text).contains(call)) {
            armed.push(path.display().to_string());
        }
    }
    armed.sort();
    assert_eq!(armed, ["src/cli/drill/how.rs", "src/cli/drill/stage.rs", "src/fault.rs"]);
}

#[test]
fn the_pure_modules_stay_pure() {
    for (path, text) in sources("src") {
        let is_pure = path.starts_with("src/policy")
            || path.starts_with("src/inspect")
            || path.starts_with("src/tls/client_hello")
            || path.ends_with("client_hello.rs");
        if !is_pure || path.ends_with("tests.rs") {
            continue;
        }
        for word in ["async ", "tokio::", "Instant", "SystemTime", "tracing::", "std::fs", "std::net::Tcp"] {
            assert!(!code(&text).contains(word), "{} uses {word}", path.display());
        }
    }
}

#[test]
fn every_shipped_configuration_loads() {
    for name in ["ucx-egress.toml", "strict.toml", "observe.toml", "container/ucx-egress.toml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
        let config = ucx_egress::config::Config::load(Some(&path)).unwrap_or_else(|error| panic!("{error}"));
        // A container's admin listener is kept from the network by what publishes its ports.
        let expected = |message: &str| message.contains("observe") || (name.starts_with("container") && message == OPEN_ADMIN);
        let unexpected: Vec<_> = config.warnings.iter().filter(|warning| !expected(&warning.message)).collect();
        assert!(unexpected.is_empty(), "{unexpected:?}");
    }
}

/// The names that a file takes from its siblings: the first words behind `super::`.
fn siblings_used(code: &str) -> Vec<String> {
    let word = |text: &str| text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let uses = code.split("use super::").skip(1).filter_map(|rest| rest.split(';').next());
    uses.flat_map(|list| match list.strip_prefix('{') {
        Some(names) => names.split(',').map(word).collect(),
        None => vec![word(list)],
    })
    .collect()
}

/// Files that use each other in a circle can only be understood together.
#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut open: Vec<(String, String, Vec<String>)> = sources("src")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("tests.rs") && !path.ends_with("mod.rs"))
        .map(|(path, text)| {
            let folder = path.parent().expect("in a folder").display().to_string();
            (folder, path.file_stem().expect("a name").to_string_lossy().into_owned(), siblings_used(&code(&text)))
        })
        .collect();
    // Take away what uses nothing that is left, until only circles are left.
    loop {
        let names: Vec<(String, String)> = open.iter().map(|(folder, name, _)| (folder.clone(), name.clone())).collect();
        let before = open.len();
        open.retain(|(folder, name, uses)| uses.iter().any(|used| used != name && names.contains(&(folder.clone(), used.clone()))));
        if open.len() == before {
            break;
        }
    }
    let circle: Vec<String> = open.iter().map(|(folder, name, _)| format!("{folder}/{name}")).collect();
    assert!(circle.is_empty(), "{circle:?}");
}
