//! Pictures for those who look after a basket that did not pass: what the judge saw, and which finding it shows.

use crate::io::onnx::cut_out;
use crate::io::store::{CropPicture, CropSet};
use augenmass_core::goods::Gallery;
use augenmass_core::goods::gallery::Probe;
use augenmass_core::units::{Mono, Wall};
use augenmass_core::verdict::{Finding, Outcome, Verdict};
use augenmass_core::vision::Crop;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use std::sync::Arc;

/// Longest side of a kept picture: enough to recognise a pack by.
const LONGEST_PX: u32 = 320;
/// JPEG quality of a kept picture.
const QUALITY: u8 = 82;

/// The frames that were looked at last, one a camera, masked, in memory until the next look.
#[derive(Clone, Debug)]
pub struct Kept {
    /// When the oldest of them arrived.
    pub captured: Mono,
    /// Their pixels.
    pub frames: Vec<Arc<RgbImage>>,
    /// For each crop, which of the frames shows it.
    pub from: Vec<usize>,
    /// What was found on them.
    pub crops: Arc<Vec<Crop>>,
}

/// Whether anybody will want to see what lay there.
pub fn is_flagged(verdict: &Verdict) -> bool {
    match verdict.outcome {
        Outcome::Correct | Outcome::Assist => true,
        Outcome::Pass | Outcome::Unavailable => false,
    }
}

/// Which crop shows each finding: the one that looks most like its product, if any looks like it; each crop once.
fn shown(findings: &[Finding], crops: &[Crop], gallery: &Gallery) -> Vec<Option<usize>> {
    let mut free = vec![true; crops.len()];
    let mut best = |finding: &Finding| {
        let wanted = finding.instead.as_ref().or(finding.product.as_ref())?.id.clone()?;
        let looks = gallery.looks(&wanted)?;
        let ratio = |crop: &Crop| {
            let cosine = looks.best(&Probe::new(crop.embedding.values()))?;
            Some(gallery.calibration.log_ratio(cosine)).filter(|ratio| *ratio > 0.0)
        };
        let ratios = crops.iter().enumerate().filter(|(k, _)| free[*k]).filter_map(|(k, crop)| Some((k, ratio(crop)?)));
        let found = ratios.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(k, _)| k)?;
        free[found] = false;
        Some(found)
    };
    findings.iter().map(&mut best).collect()
}

/// The pictures to keep of a flagged verdict, as JPEG; slow, for another thread than the one that judges.
pub fn pictures(kept: &Kept, verdict: &Verdict, gallery: Option<&Gallery>, until: Wall) -> CropSet {
    let shown = gallery.map_or_else(Vec::new, |gallery| shown(&verdict.findings, &kept.crops, gallery));
    let picture = |(k, crop): (usize, &Crop)| {
        let cut = cut_out(kept.frames.get(*kept.from.get(k)?)?, crop.box_px)?;
        let finding = shown.iter().position(|place| *place == Some(k)).map(|finding| finding as u32);
        Some(CropPicture { number: k as u32, finding, jpeg: jpeg(cut)? })
    };
    CropSet {
        validation_id: verdict.validation_id.clone(),
        attempt: verdict.attempt,
        until,
        pictures: kept.crops.iter().enumerate().filter_map(picture).collect(),
    }
}

/// A picture for people, at most [`LONGEST_PX`] long; `None` where it cannot be encoded.
pub fn jpeg(picture: RgbImage) -> Option<Vec<u8>> {
    let longest = picture.width().max(picture.height());
    let small = match longest > LONGEST_PX {
        true => {
            let side = |length: u32| (length * LONGEST_PX / longest).max(1);
            image::imageops::thumbnail(&picture, side(picture.width()), side(picture.height()))
        }
        false => picture,
    };
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&small).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::goods::{LookCalibration, LookVector};
    use augenmass_core::verdict::{FindingKind, ProductRef};
    use augenmass_core::vision::Embedding;
    use image::Rgb;

    fn axis(k: usize) -> Vec<f32> {
        (0..4).map(|i| if i == k { 1.0 } else { 0.0 }).collect()
    }

    fn crop(k: usize, left: f32) -> Crop {
        let embedding = Embedding::new(axis(k)).unwrap();
        Crop { camera: 0, box_px: [left, 10.0, left + 50.0, 60.0], score: 0.9, embedding }
    }

    fn finding(product: &str) -> Finding {
        let product = ProductRef { id: Some(product.to_owned()), code: String::new(), name: String::new() };
        Finding {
            kind: FindingKind::Unscanned,
            product: Some(product),
            instead: None,
            scanned: None,
            found: None,
            grams: 1.0,
            probability: 0.9,
            named: true,
            image: None,
            detail: None,
        }
    }

    fn gallery() -> Gallery {
        let looks =
            [("milk", 0), ("rice", 3)].map(|(name, k)| (name.parse().unwrap(), vec![LookVector::quantise(&axis(k))]));
        Gallery::of("s", LookCalibration { a: 8.0, b: -4.0, curve: Vec::new() }, looks)
    }

    #[test]
    fn a_finding_is_shown_by_the_crop_that_looks_like_its_product_and_by_none_that_does_not() {
        let findings = [finding("rice"), finding("milk"), finding("unknown"), finding("milk")];
        let shown = shown(&findings, &[crop(1, 0.0), crop(0, 60.0)], &gallery());
        assert_eq!(shown, [None, Some(1), None, None]);
    }

    #[test]
    fn kept_pictures_are_the_cut_out_things_and_nothing_beside_them() {
        let frame = RgbImage::from_fn(640, 480, |x, _| Rgb(if x < 70 { [200, 30, 30] } else { [30, 30, 200] }));
        let other = Arc::new(RgbImage::from_pixel(640, 480, Rgb([30, 200, 30])));
        let kept = Kept {
            captured: Mono::default(),
            frames: vec![other, Arc::new(frame)],
            from: vec![1],
            crops: Arc::new(vec![crop(0, 100.0)]),
        };
        let verdict: Verdict = serde_json::from_value(serde_json::json!({
            "validation_id": "v-1", "attempt": 2, "basket_id": "b-1", "revision": 1, "station_id": "s",
            "outcome": "correct", "passed": false, "decided_at": "2026-11-21T18:00:00Z", "elapsed_ms": 8, "weight": null,
            "findings": [finding("milk")], "check": [], "message": { "key": "staff_will_help", "args": {} },
            "degraded": [], "exit_token": null
        }))
        .unwrap();
        assert!(is_flagged(&verdict));
        let set = pictures(&kept, &verdict, Some(&gallery()), Wall::from_ms(7));
        assert_eq!((set.attempt, set.until, set.pictures.len()), (2, Wall::from_ms(7), 1));
        assert_eq!((set.pictures[0].number, set.pictures[0].finding), (0, Some(0)));
        let picture = crate::io::onnx::decode_any(&set.pictures[0].jpeg).unwrap();
        // 50 px with 8 % on each side; nothing of the red part beside it.
        assert_eq!(picture.dimensions(), (58, 58));
        assert!(picture.pixels().all(|p| p.0[2] > 150 && p.0[0] < 80));
    }
}
