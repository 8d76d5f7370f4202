//! Stocks the demo's daemon: catalogue and looks of all goods.
//!
//! Drawing and embedding every product takes a while and always gives the same, so what comes out is
//! kept under a name made of everything that went in.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::demo::Demo;
use crate::onnxruntime::sha256;
use crate::process::{Stop, run, run_showing, step};
use crate::workspace::Workspace;

/// What a stocked data folder depends on: who draws, who embeds, who stores.
const INGREDIENTS: [&str; 8] = [
    "firmware-sim/shop",
    "firmware-sim/src/render",
    "firmware-sim/src/shop",
    "models/manifest.json",
    "src/app/enroll.rs",
    "src/core/goods",
    "src/io/onnx",
    "src/io/store",
];

/// Fills the demo's data folder.
///
/// # Errors
/// When a program fails or a file cannot be read or written.
pub fn stock(workspace: &Workspace, demo: &Demo, stop: &Stop) -> Result<()> {
    let shelf = workspace.root().join("target/demo-gallery");
    let name = fingerprint(workspace.root())?;
    let kept = shelf.join(&name);
    if kept.is_dir() {
        return step("stocking the shop, as last time", || copy_folder(&kept, &demo.data));
    }
    fill(demo, stop)?;
    // Older ones belong to sources that are no more.
    let _ = fs::remove_dir_all(&shelf);
    let fresh = shelf.join(format!(".{name}"));
    copy_folder(&demo.data, &fresh)?;
    fs::rename(&fresh, &kept).with_context(|| format!("keeping {}", kept.display()))
}

fn fill(demo: &Demo, stop: &Stop) -> Result<()> {
    let catalogue = demo.folder.join("catalogue.ndjson");
    let looks = demo.folder.join("looks");
    step("stocking the shop", || {
        run("firmware-sim catalogue", demo.simulator(&["catalogue", "--out"]).arg(&catalogue), stop)?;
        let mut import = demo.daemon(&["catalogue", "import"]);
        import.arg(&catalogue).arg("--config").arg(demo.config());
        run("augenmass catalogue import", import.stdout(Stdio::null()), stop)
    })?;
    let goods = fs::read_to_string(&catalogue).map_or(0, |text| text.lines().count());
    step("photographing all goods, once", || {
        let mut draw = demo.simulator(&["looks", "--out"]);
        let drawn = || fs::read_dir(&looks).ok().map(|folders| format!("{} of {goods}", folders.count()));
        run_showing("firmware-sim looks", draw.arg(&looks).stdout(Stdio::null()), stop, drawn)
    })?;
    step("learning how they look, once", || {
        let mut enroll = demo.daemon(&["enroll", "--dir"]);
        enroll.arg(&looks).arg("--config").arg(demo.config());
        let begun = Instant::now();
        let waited = || Some(format!("{} s; a minute is usual", begun.elapsed().as_secs()));
        run_showing("augenmass enroll", enroll.stdout(Stdio::null()), stop, waited)
    })
}

/// A name for the content of all ingredients.
fn fingerprint(root: &Path) -> Result<String> {
    let mut files = Vec::new();
    for ingredient in INGREDIENTS {
        list(&root.join(ingredient), &mut files)?;
    }
    files.sort();
    let mut all = String::new();
    for file in files {
        let content = fs::File::open(&file).with_context(|| format!("reading {}", file.display()))?;
        let place = file.strip_prefix(root).unwrap_or(&file);
        all.push_str(&format!("{} {}\n", place.display(), sha256(content)?));
    }
    let mut name = sha256(Cursor::new(all))?;
    name.truncate(16);
    Ok(name)
}

fn list(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let context = || format!("reading {}", path.display());
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(context)? {
        list(&entry.with_context(context)?.path(), files)?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let (source, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if source.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(&source, &target).with_context(|| format!("copying {}", source.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ingredients_are_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(fingerprint(root).unwrap().len(), 16);
    }

    #[test]
    fn a_name_changes_with_any_content_and_with_nothing_else() {
        let root = std::env::temp_dir().join(format!("xtask-gallery-{}", std::process::id()));
        let write = |file: &str, text: &str| {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for ingredient in INGREDIENTS {
            let is_file = Path::new(ingredient).extension().is_some();
            write(&if is_file { ingredient.to_owned() } else { format!("{ingredient}/a.rs") }, "one");
        }
        let first = fingerprint(&root).unwrap();
        assert_eq!((first.len(), fingerprint(&root).unwrap()), (16, first.clone()));
        write("README.md", "not an ingredient");
        assert_eq!(fingerprint(&root).unwrap(), first);
        write("src/io/store/a.rs", "two");
        let second = fingerprint(&root).unwrap();
        assert_ne!(second, first);
        copy_folder(&root.join("src"), &root.join("copy")).unwrap();
        assert_eq!(fs::read_to_string(root.join("copy/io/store/a.rs")).unwrap(), "two");
        fs::remove_dir_all(&root).unwrap();
    }
}
