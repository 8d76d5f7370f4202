//! What the eye adds, and what it must not.

use super::*;
use crate::goods::{Gallery, LookCalibration, LookVector};
use crate::units::Mono;
use crate::vision::{Crop, Embedding, Quality, Scene};

/// A space of three looks at right angles: butter, milk, twin.
fn axis(which: usize) -> Vec<f32> {
    (0..3).map(|i| if i == which { 1.0 } else { 0.0 }).collect()
}

pub(super) fn gallery() -> Gallery {
    let looks = ["butter", "milk", "twin"]
        .iter()
        .enumerate()
        .map(|(i, id)| (id.parse().unwrap(), vec![LookVector::quantise(&axis(i))]));
    Gallery::of("test", LookCalibration { a: 8.0, b: -4.0, curve: Vec::new() }, looks)
}

pub(super) fn seen(looks: &[usize]) -> Scene {
    let crop = |which: &usize| Crop {
        camera: 0,
        box_px: [0.0, 0.0, 9.0, 9.0],
        score: 0.9,
        embedding: Embedding::new(axis(*which)).unwrap(),
    };
    Scene {
        cameras: vec!["top".to_owned()],
        missing: Vec::new(),
        captured: Mono::default(),
        crops: looks.iter().map(crop).collect(),
        quality: Quality { brightness: 120.0, sharpness: 80.0 },
        space_id: "test".to_owned(),
    }
}

fn judged_seeing(lines: &[(&str, u32)], measured_g: f64, scene: &Scene) -> Conclusion {
    let (catalogue, gallery) = (shop(), gallery());
    let expected = expected(&catalogue, lines);
    let evidence = Evidence {
        measured: Mass::from_g(measured_g).unwrap(),
        sigma: Mass::from_mg(2_000),
        scene: Some(scene),
        expected: &expected,
        catalogue: &catalogue,
        steps: &[],
        guesses: &[],
        bag: &BagBelief::one(60.0, 35.0),
        gallery: Some(&gallery),
        corrections: 0,
    };
    judge(&evidence, &POLICY)
}

#[test]
fn the_eye_tells_apart_what_weighs_the_same() {
    let conclusion = judged_seeing(&[("1", 1), ("3", 1)], 1766.0 + 1060.2, &seen(&[0, 2]));
    assert_eq!(first(&conclusion), (FindingKind::Unscanned, Some("twin")), "{conclusion:#?}");
}

/// Milk and butter beside pasta that was scanned: no product weighs both together, and the eye knows each. Without it nothing is named.
#[test]
fn two_that_were_not_scanned_are_found_by_their_looks() {
    let both_g = 1510.0 + 256.0 + 1060.2;
    let conclusion = judged_seeing(&[("3", 1)], both_g, &seen(&[0, 1]));
    let mut named: Vec<&str> =
        conclusion.findings.iter().filter_map(|f| f.product.as_ref()).map(|p| p.name.as_str()).collect();
    named.sort_unstable();
    assert_eq!(named, ["butter", "milk"], "{conclusion:#?}");
    assert!(conclusion.findings.iter().all(|f| f.kind == FindingKind::Unscanned && f.probability > 0.9));
    // The twin weighs what milk weighs: without a look at least one of the two is anybody's guess.
    let blind = judged(&[("3", 1)], both_g);
    assert!(blind.findings.iter().all(|f| f.product.as_ref().is_none_or(|p| p.name == "butter")), "{blind:#?}");
    // What is seen and does not weigh it is not named.
    let other = judged_seeing(&[("3", 1)], both_g + 90.0, &seen(&[0, 1]));
    assert!(
        other.findings.iter().all(|f| f.kind != FindingKind::Unscanned || f.probability < 0.9 || !f.named),
        "{other:#?}"
    );
}

#[test]
fn looking_alone_never_stops_a_basket() {
    // Everything weighs as it should; every crop looks like something that is not on the list.
    let conclusion = judged_seeing(&[("1", 1), ("3", 1)], 1766.0, &seen(&[2, 2, 2, 1, 1, 1]));
    assert_eq!(conclusion.outcome, Outcome::Pass, "{conclusion:#?}");
}

#[test]
fn looks_of_another_model_say_nothing() {
    let mut scene = seen(&[0, 2]);
    scene.space_id = "another".to_owned();
    let with = judged_seeing(&[("1", 1), ("3", 1)], 2826.2, &scene);
    assert_eq!(with, judged(&[("1", 1), ("3", 1)], 2826.2));
}

fn read_by(mut gallery: Gallery, calibration: &LookCalibration) -> Gallery {
    gallery.calibration = calibration.clone();
    gallery
}

fn judged_alike(catalogue: &Catalogue, gallery: &Gallery) -> Conclusion {
    let scene = seen(&[0, 2]);
    let expected = expected(catalogue, &[("1", 1), ("3", 1)]);
    let evidence = Evidence {
        measured: Mass::from_g(1766.0 + 1060.25).unwrap(),
        sigma: Mass::from_mg(2_000),
        scene: Some(&scene),
        expected: &expected,
        catalogue,
        steps: &[],
        guesses: &[],
        bag: &BagBelief::one(60.0, 35.0),
        gallery: Some(gallery),
        corrections: 0,
    };
    judge(&evidence, &POLICY)
}

/// The same shop whose milk and twin were enrolled from pictures that lie eight degrees apart: nobody has declared anything.
fn gallery_with_a_near_twin() -> Gallery {
    let near = LookVector::quantise(&[0.0, 0.14, 0.99]);
    let twin = crate::goods::LookSet { enrolled: vec![LookVector::quantise(&axis(2))], learned: Vec::new() };
    let milk = crate::goods::LookSet { enrolled: vec![near], learned: Vec::new() };
    read_by(gallery(), &LookCalibration { a: 10.0, b: -4.0, curve: Vec::new() })
        .with(&[("milk".parse().unwrap(), milk), ("twin".parse().unwrap(), twin)].into())
}

/// Milk and its twin look alike, because somebody says so or because their pictures do: the eye must not tell them apart.
#[test]
fn the_eye_does_not_tell_look_alikes_apart() {
    let alike = |p: &Product| Product {
        look_group: ["milk", "twin"].contains(&p.name.as_str()).then(|| "milk".to_owned()),
        ..p.clone()
    };
    let declared = judged_alike(&Catalogue::new(shop().products().iter().map(alike).collect()), &gallery());
    let found = judged_alike(&shop(), &gallery_with_a_near_twin());
    for conclusion in [declared, found] {
        let named = conclusion.findings.iter().any(|f| f.named && f.kind == FindingKind::Unscanned);
        assert_eq!((conclusion.findings[0].kind, named), (FindingKind::Unscanned, false), "{conclusion:#?}");
    }
    let apart = judged_alike(&shop(), &gallery());
    assert_eq!(first(&apart), (FindingKind::Unscanned, Some("twin")), "else it does");
}

#[test]
fn a_crop_shows_for_certain_only_what_is_there_once_and_has_no_look_alike() {
    use crate::verdict::certain::certain;
    let (catalogue, scene) = (shop(), seen(&[0, 1]));
    // Sure of itself from a cosine of one downwards to 0.9.
    let calibration = LookCalibration { a: 90.0, b: -45.0, curve: vec![[0.0, -6.0], [0.9, 7.0], [1.0, 9.0]] };
    let sure = read_by(gallery(), &calibration);
    let place = |name: &str| catalogue.products().iter().position(|p| p.name == name).unwrap();
    let (butter, milk, pasta) = (place("butter"), place("milk"), place("pasta"));
    assert_eq!(certain(&scene, &sure, &catalogue, &[(butter, 1), (milk, 1), (pasta, 1)]), [(butter, 0), (milk, 1)]);
    assert_eq!(certain(&scene, &sure, &catalogue, &[(butter, 2), (milk, 1)]), [(milk, 1)], "which of the two?");
    assert_eq!(
        certain(&scene, &sure, &catalogue, &[(butter, 1), (butter, 1)]),
        [],
        "nor if they were scanned one by one"
    );
    assert_eq!(certain(&seen(&[0, 0]), &sure, &catalogue, &[(butter, 1)]), [], "two crops, one butter");
    assert_eq!(certain(&scene, &gallery(), &catalogue, &[(butter, 1), (milk, 1)]), [], "four nats are not certain");
    let near = read_by(gallery_with_a_near_twin(), &calibration);
    assert_eq!(
        certain(&seen(&[0, 2]), &near, &catalogue, &[(butter, 1), (milk, 1)]),
        [(butter, 0)],
        "milk or its twin"
    );
    let elsewhere = Scene { space_id: "other".to_owned(), ..scene.clone() };
    assert_eq!(certain(&elsewhere, &sure, &catalogue, &[(butter, 1), (milk, 1)]), []);
}
