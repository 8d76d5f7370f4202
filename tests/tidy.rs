//! The house rules that a compiler does not know: floors, sizes, banned calls, every file reachable.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines: past it there is a second idea in it.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(under: &str) -> BTreeMap<String, String> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(under), &mut found);
    let name = |p: &Path| p.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    found.iter().map(|p| (name(p), fs::read_to_string(p).unwrap())).collect()
}

fn all_files() -> BTreeMap<String, String> {
    ["src", "firmware-sim/src", "proving/src", "xtask/src", "tests"].into_iter().flat_map(rust_files).collect()
}

/// The floor of a room inside the core; `units` is everybody's.
fn core_floor(room: &str) -> Option<u8> {
    match room {
        "basket" | "goods" | "weighing" | "vision" => Some(0),
        "verdict" => Some(1),
        "station" | "desk" => Some(2),
        _ => None,
    }
}

/// Rooms of this crate that a line of code names as `crate::room`, comments left out.
fn rooms_named(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn the_core_imports_only_from_floors_below() {
    let mut seen = 0;
    for (file, text) in rust_files("src/core") {
        let room = file.trim_start_matches("src/core/").split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let Some(floor) = core_floor(&room) else {
            assert!(
                ["lib", "units"].contains(&room.as_str()),
                "{file}: a room without a floor; give it one here and in ARCHITECTURE.md"
            );
            continue;
        };
        for named in rooms_named(&text) {
            seen += 1;
            let allowed = named == "units" || named == room || core_floor(&named).is_some_and(|below| below < floor);
            assert!(allowed, "{file}: {room} (floor {floor}) must not know {named}");
        }
    }
    assert!(seen > 20, "the search finds nothing any more");
}

#[test]
fn the_daemon_imports_only_from_floors_below() {
    let floor = |room: &str| match room {
        "io" | "access" => Some(3),
        "api" => Some(4),
        "app" => Some(5),
        _ => None,
    };
    for (file, text) in rust_files("src") {
        let room = file.trim_start_matches("src/").split('/').next().unwrap().to_owned();
        let Some(own) = floor(&room) else { continue };
        for named in rooms_named(&text) {
            let below = floor(&named).unwrap_or_else(|| panic!("{file}: {named} has no floor"));
            assert!(named == room || below < own, "{file}: {room} (floor {own}) must not know {named}");
        }
    }
}

#[test]
fn the_core_has_no_doors() {
    let manifest = fs::read_to_string(root().join("src/core/Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("[dev-dependencies]").next().unwrap();
    let named: Vec<&str> = dependencies
        .lines()
        .filter_map(|l| l.split(['.', ' ', '=']).next())
        .filter(|n| !n.is_empty() && !n.starts_with('['))
        .collect();
    let pure = ["crc", "jiff", "nalgebra", "serde", "serde_json", "sha2", "thiserror"];
    for name in named {
        assert!(pure.contains(&name), "the core must stay pure: is {name}?");
    }
    for (file, text) in rust_files("src/core") {
        for door in [
            "std::fs",
            "std::net",
            "std::time",
            "std::thread",
            "std::env",
            "std::process",
            "HashMap",
            "HashSet",
            "println!",
        ] {
            assert!(!text.contains(door), "{file} uses {door}");
        }
    }
}

#[test]
fn the_simulator_and_the_daemon_do_not_know_each_other() {
    let manifest = fs::read_to_string(root().join("firmware-sim/Cargo.toml")).unwrap();
    assert!(!manifest.contains("augenmass"), "two implementations check each other only while they are two");
    for (file, text) in rust_files("src") {
        assert!(!text.contains("firmware_sim"), "{file}");
    }
}

#[test]
fn files_are_short_and_finished() {
    // Put together here, so that this file does not find itself.
    let unfinished = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!("));
    let skipped = ["#[", "ignore"].concat();
    for (file, text) in all_files() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{file} has {lines} lines: look for the second idea in it");
        for mark in &unfinished {
            assert!(!text.contains(mark.as_str()), "{file} holds {mark}");
        }
        assert!(!text.contains(&skipped), "{file} skips a test");
    }
}

#[test]
fn every_file_is_reachable() {
    for (file, _) in all_files() {
        if file.starts_with("tests/") || file.ends_with("/main.rs") || file.ends_with("/lib.rs") {
            continue;
        }
        let path = root().join(&file);
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (module, folder) = if stem == "mod" {
            let folder = path.parent().unwrap();
            (folder.file_name().unwrap().to_string_lossy().into_owned(), folder.parent().unwrap().to_owned())
        } else {
            (stem, path.parent().unwrap().to_owned())
        };
        let parents =
            [folder.join("mod.rs"), folder.join("lib.rs"), folder.join("main.rs"), folder.with_extension("rs")];
        let declared = parents
            .iter()
            .filter_map(|p| fs::read_to_string(p).ok())
            .any(|text| text.lines().any(|line| line.trim_end().ends_with(&format!("mod {module};"))));
        assert!(declared, "{file} belongs to no module");
    }
}
