use super::*;
use image::{ImageFormat, Rgb, imageops};
use std::io::Cursor;
use std::path::Path;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

fn start(folder: &Path) -> Result<Eyes, EyesError> {
    Eyes::start(&EyesOptions { models_directory: folder.to_owned(), onnxruntime: None })
}

/// A copy of the shipped models that a test may spoil.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(shipped()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
    }
    folder
}

/// Changes the entry of `role` in the manifest.
fn edit(folder: &Path, role: &str, change: impl FnOnce(&mut serde_json::Value)) {
    let path = folder.join("manifest.json");
    let mut document: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let models = document["models"].as_array_mut().unwrap();
    change(models.iter_mut().find(|model| model["role"] == role).unwrap());
    std::fs::write(&path, serde_json::to_vec(&document).unwrap()).unwrap();
}

#[track_caller]
fn refused(folder: &Path) -> EyesError {
    start(folder).err().unwrap()
}

fn jpeg(picture: &RgbImage) -> Bytes {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg).unwrap();
    bytes.into()
}

/// A grey plate with the self-test's product on it, once or several times.
fn plate(places: &[(i64, i64)]) -> RgbImage {
    let product = decode_any(&std::fs::read(shipped().join("self-test.png")).unwrap()).unwrap();
    let product = imageops::resize(&product, 110, 110, imageops::FilterType::Triangle);
    let mut picture = RgbImage::from_fn(640, 480, |x, y| Rgb([150 + ((x * 7 + y * 13) % 5) as u8; 3]));
    for (x, y) in places {
        imageops::overlay(&mut picture, &product, *x, *y);
    }
    picture
}

const VIEW: [u32; 4] = [60, 20, 580, 460];

fn look(jpeg: Bytes) -> Look {
    Look { jpeg, captured: Instant::now(), view: View::rectangle(VIEW) }
}

fn cosine(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn goods_on_a_picture_are_found_and_embedded() {
    let eyes = start(&shipped()).unwrap();
    assert!(eyes.models().threshold > 0.0 && !eyes.models().space_id.is_empty());
    let places = [(120, 60), (380, 70), (140, 300), (400, 310)];
    let wanted = look(jpeg(&plate(&places)));
    let seen = eyes.look(wanted.clone()).await.unwrap();
    assert_eq!(seen.captured, wanted.captured);
    assert!(!seen.detections.is_empty() && seen.found >= seen.detections.len());
    for pair in seen.detections.windows(2) {
        assert!(pair[0].score >= pair[1].score);
    }
    for crop in &seen.detections {
        let [left, top, right, bottom] = crop.box_px;
        assert!(60.0 <= left && left < right && right <= 580.0, "{:?}", crop.box_px);
        assert!(20.0 <= top && top < bottom && bottom <= 460.0, "{:?}", crop.box_px);
        assert!(crop.score >= eyes.models().threshold && crop.score <= 1.0);
        assert_eq!(crop.embedding.len(), DIMENSIONS);
        assert!((cosine(&crop.embedding, &crop.embedding) - 1.0).abs() < 0.01);
    }
    assert!(seen.quality.fault().is_none(), "{:?}", seen.quality);

    // The same picture twice gives the same, to the last bit: verdicts are replayed.
    let again = eyes.look(wanted).await.unwrap();
    assert_eq!(again.detections, seen.detections);
}

#[tokio::test]
async fn what_lies_outside_the_view_is_not_seen() {
    let eyes = start(&shipped()).unwrap();
    let view_px = [300, 20, 580, 460];
    let look_at =
        |picture: &RgbImage| Look { jpeg: jpeg(picture), captured: Instant::now(), view: View::rectangle(view_px) };
    let with = eyes.look(look_at(&plate(&[(120, 60), (380, 70)]))).await.unwrap();
    for crop in &with.detections {
        assert!(crop.box_px[0] >= 300.0, "{:?}", crop.box_px);
    }
}

#[tokio::test]
async fn embedding_is_the_same_alone_and_among_others() {
    let eyes = start(&shipped()).unwrap();
    let product = decode_any(&std::fs::read(shipped().join("self-test.png")).unwrap()).unwrap();
    let grey = RgbImage::from_pixel(50, 90, Rgb([90, 200, 40]));
    let mut pictures = vec![grey; 10];
    pictures.push(product.clone());
    let among = eyes.embed(pictures).await.unwrap();
    let alone = eyes.embed(vec![product]).await.unwrap();
    assert_eq!((among.len(), alone.len()), (11, 1));
    assert_eq!(among[10], alone[0]);
    assert!(cosine(&among[0], &alone[0]) < 0.95);
    assert!(eyes.embed(Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_glance_tells_a_hand_from_noise() {
    let eyes = start(&shipped()).unwrap();
    let empty = jpeg(&plate(&[]));
    let first = eyes.glance(0, empty.clone(), View::rectangle(VIEW)).await.unwrap();
    assert_eq!(first.change, None);
    assert!((first.quality.brightness - 152.0).abs() < 4.0, "{first:?}");
    assert_eq!(eyes.glance(1, empty.clone(), View::rectangle(VIEW)).await.unwrap().change, None);
    let same = eyes.glance(0, empty.clone(), View::rectangle(VIEW)).await.unwrap();
    assert_eq!(same.change, Some(0.0));
    let changed = eyes.glance(0, jpeg(&plate(&[(200, 200)])), View::rectangle(VIEW)).await.unwrap();
    assert!(changed.change.unwrap() > 1.0, "{changed:?}");
}

#[tokio::test]
async fn broken_pictures_are_told_and_harm_nothing() {
    let eyes = start(&shipped()).unwrap();
    let good = jpeg(&plate(&[(120, 60)]));
    let cut_off = eyes.look(look(good.slice(..good.len() / 2))).await;
    assert_eq!(cut_off.unwrap_err(), LookError::CutOff);
    let small = jpeg(&RgbImage::new(320, 240));
    assert_eq!(eyes.look(look(small)).await.unwrap_err(), LookError::WrongSize { width: 320, height: 240 });
    assert!(matches!(eyes.glance(0, Bytes::new(), View::rectangle(VIEW)).await, Err(LookError::CutOff)));
    assert!(eyes.look(look(good)).await.is_ok());
}

#[test]
fn a_file_that_is_missing_or_another_is_refused() {
    let folder = copy();
    assert!(matches!(refused(&folder.path().join("nowhere")), EyesError::Manifest { .. }));

    let detector = folder.path().join("itemdet.onnx");
    let mut bytes = std::fs::read(&detector).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&detector, &bytes).unwrap();
    let error = refused(folder.path());
    assert!(matches!(error, EyesError::WrongHash { .. }), "{error}");
    assert!(error.to_string().contains("itemdet.onnx"), "{error}");

    std::fs::remove_file(&detector).unwrap();
    let error = refused(folder.path());
    assert!(matches!(error, EyesError::FileMissing { .. }), "{error}");
}

#[test]
fn a_model_in_the_wrong_role_is_refused_though_its_hash_is_right() {
    let folder = copy();
    let take = |role: &str| {
        let mut taken = (serde_json::Value::Null, serde_json::Value::Null);
        edit(folder.path(), role, |model| taken = (model["file"].clone(), model["sha256"].clone()));
        taken
    };
    let (detector, embedder) = (take("itemdet"), take("itememb"));
    let put = |role: &str, (file, sha256): (serde_json::Value, serde_json::Value)| {
        edit(folder.path(), role, |model| {
            model["file"] = file;
            model["sha256"] = sha256;
        });
    };
    put("itemdet", embedder.clone());
    let error = refused(folder.path());
    assert!(matches!(error, EyesError::OffContract { role: "itemdet", .. }), "{error}");
    assert!(error.to_string().contains("no input `image`"), "{error}");
    put("itemdet", detector.clone());
    put("itememb", detector);
    let error = refused(folder.path());
    assert!(matches!(error, EyesError::OffContract { role: "itememb", .. }), "{error}");
}

#[test]
fn what_is_no_model_is_refused_by_the_runtime() {
    let folder = copy();
    std::fs::write(folder.path().join("itemdet.onnx"), b"no model").unwrap();
    edit(folder.path(), "itemdet", |model| model["sha256"] = manifest::sha256(b"no model").into());
    let error = refused(folder.path());
    assert!(matches!(error, EyesError::Refused { .. }), "{error}");
}

#[test]
fn an_embedder_that_computes_something_else_fails_its_self_test() {
    let folder = copy();
    edit(folder.path(), "itememb", |model| {
        let embedding = model["self_test"]["embedding"].as_array_mut().unwrap();
        embedding.rotate_left(1);
    });
    let error = refused(folder.path());
    assert!(matches!(error, EyesError::SelfTest { .. }), "{error}");
    edit(folder.path(), "itememb", |model| model["space_id"] = "another".into());
    let error = refused(folder.path());
    assert!(error.to_string().contains("space_id"), "{error}");
}

#[test]
fn an_odd_manifest_is_refused() {
    let folder = copy();
    let path = folder.path().join("manifest.json");
    edit(folder.path(), "itemdet", |model| model["role"] = "something".into());
    let error = refused(folder.path());
    assert!(error.to_string().contains("no model for the role itemdet"), "{error}");
    std::fs::write(&path, r#"{"format":9,"models":[]}"#).unwrap();
    assert!(refused(folder.path()).to_string().contains("format is 9"));
    std::fs::write(&path, "{").unwrap();
    assert!(matches!(refused(folder.path()), EyesError::Manifest { .. }));
}
