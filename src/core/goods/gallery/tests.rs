use super::*;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::sync::Arc;

fn line() -> LookCalibration {
    // The most it ever says, 4.5 nats, from a cosine of 0.825 upwards; three quarters of that from 0.769.
    LookCalibration { a: 20.0, b: -12.0, curve: Vec::new() }
}

fn id(name: &str) -> ProductId {
    name.parse().unwrap()
}

/// A direction of its own for each seed, nearly at right angles to all others.
fn unit(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let values: Vec<f32> = (0..64)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        })
        .collect();
    let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    values.iter().map(|v| v / norm).collect()
}

fn crop(seed: u64) -> Probe {
    Probe::new(&unit(seed))
}

fn towards(one: &[f32], other: &[f32], share: f32) -> LookVector {
    LookVector::quantise(&one.iter().zip(other).map(|(a, b)| a + share * b).collect::<Vec<_>>())
}

fn look(seed: u64) -> LookVector {
    LookVector::quantise(&unit(seed))
}

fn set(seeds: impl IntoIterator<Item = u64>) -> LookSet {
    LookSet { enrolled: seeds.into_iter().map(look).collect(), learned: Vec::new() }
}

fn block(products: &BTreeMap<ProductId, LookSet>) -> (Vec<u8>, Head) {
    let (mut builder, mut vectors) = (Builder::default(), Vec::new());
    for (product, looks) in products {
        assert!(builder.add(product, looks, &mut vectors));
    }
    let (tail, mut head) = builder.finish(&vectors, "space", &line(), LookMark { number: 7, at_ms: 99 });
    let body = [vectors, tail].concat();
    head.digest = head.digest_with(Sha256::new().chain_update(&body));
    ([head.to_bytes(), body].concat(), head)
}

fn shop() -> BTreeMap<ProductId, LookSet> {
    let twin = LookSet {
        enrolled: vec![towards(&unit(1), &unit(50), 0.3), towards(&unit(2), &unit(51), 0.3)],
        ..LookSet::default()
    };
    BTreeMap::from([
        (id("butter"), set([1, 2])),
        (id("milk"), LookSet { learned: vec![look(30)], ..set([3]) }),
        (id("rice"), set([4, 5, 6])),
        (id("twin"), twin),
    ])
}

fn packed(products: &BTreeMap<ProductId, LookSet>) -> Packed {
    let (bytes, head) = block(products);
    Packed::new(Arc::new(bytes), head).unwrap()
}

#[test]
fn what_was_packed_is_found_again() {
    let gallery = Gallery::packed("space", line(), packed(&shop())).unwrap();
    assert_eq!((gallery.len(), gallery.changed()), (4, 0));
    let milk = gallery.looks("milk").unwrap();
    assert_eq!((milk.enrolled(), milk.learned()), (1, 1));
    assert!(milk.best(&crop(3)).unwrap() > 0.98 && milk.best(&crop(30)).unwrap() > 0.98);
    assert!(milk.best_enrolled(&crop(30)).unwrap() < 0.5, "a learned look is none of the enrolled ones");
    assert!(gallery.looks("rice").unwrap().best(&crop(6)).unwrap() > 0.98);
    assert!(gallery.looks("ric").is_none() && gallery.looks("zoo").is_none() && gallery.looks("a").is_none());
    let names: Vec<&str> = gallery.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["butter", "milk", "rice", "twin"]);
}

/// The twin's views are the butter's, each turned by 17 degrees: a cosine of 0.96, which the line reads as 4.5 nats.
#[test]
fn look_alikes_find_each_other_and_nobody_else() {
    let gallery = Gallery::packed("space", line(), packed(&shop())).unwrap();
    let names = |product: &str| gallery.alikes(product).iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!((names("butter"), names("twin")), (vec!["twin".to_owned()], vec!["butter".to_owned()]));
    assert_eq!((names("milk"), names("rice")), (vec![], vec![]));
    assert!((0.93..0.98).contains(&gallery.alikes("twin")[0].1));
}

#[test]
fn alike_is_what_the_curve_reads_nearly_as_strongly_as_anything() {
    let from = |calibration: &LookCalibration| alike::alike_from(calibration);
    assert!((from(&line()) - 0.76875).abs() < 1e-4);
    let curve = LookCalibration { curve: vec![[0.0, -5.0], [0.4, 2.0], [0.8, 8.0]], ..line() };
    // Six of eight nats: two thirds of the way from 0.4 to 0.8.
    assert!((from(&curve) - 0.66667).abs() < 1e-4);
}

#[test]
fn what_has_changed_since_counts_and_what_is_gone_is_gone() {
    let gallery = Gallery::packed("space", line(), packed(&shop())).unwrap();
    let copy = LookSet { enrolled: vec![towards(&unit(3), &unit(60), 0.2)], ..LookSet::default() };
    let changed = BTreeMap::from([(id("butter"), set([40])), (id("copy"), copy), (id("rice"), LookSet::default())]);
    let gallery = gallery.with(&changed);
    assert_eq!((gallery.len(), gallery.changed(), gallery.iter().count()), (4, 3, 4));
    assert!(gallery.looks("rice").is_none());
    assert!(gallery.looks("butter").unwrap().best(&crop(40)).unwrap() > 0.98);
    assert!(gallery.looks("butter").unwrap().best(&crop(1)).unwrap() < 0.6);
    assert!(gallery.alikes("twin").is_empty() && gallery.alikes("butter").is_empty(), "the butter looks otherwise now");
    assert_eq!(gallery.alikes("milk")[0].0, "copy");
    assert_eq!(gallery.alikes("copy")[0].0, "milk");
    let all: BTreeMap<ProductId, LookSet> = shop()
        .into_iter()
        .filter(|(id, _)| id.as_str() != "rice")
        .chain(changed.into_iter().filter(|(_, looks)| !looks.enrolled.is_empty()))
        .collect();
    let anew = Gallery::packed("space", line(), packed(&all)).unwrap();
    for name in ["butter", "copy", "milk", "twin"] {
        assert_eq!(gallery.alikes(name), anew.alikes(name), "{name}: made anew it says the same");
        assert_eq!(gallery.looks(name).unwrap().best(&crop(3)), anew.looks(name).unwrap().best(&crop(3)));
    }
}

#[test]
fn more_views_than_are_kept_leave_those_that_stand_for_all() {
    let views: Vec<LookVector> = (0..30).map(|k| towards(&unit(k / 5), &unit(100 + k), 0.2)).collect();
    let looks = LookSet { enrolled: views, learned: (0..5).map(|k| look(200 + k)).collect() };
    let gallery = Gallery::packed("space", line(), packed(&BTreeMap::from([(id("a"), looks)]))).unwrap();
    let kept = gallery.looks("a").unwrap();
    assert_eq!((kept.enrolled(), kept.learned()), (ENROLLED_MAX, LEARNED_MAX));
    assert!((0..6).all(|face| kept.best_enrolled(&crop(face)).unwrap() > 0.9), "every face is still known");
}

#[test]
fn the_anchors_cells_find_what_comparing_each_with_each_finds() {
    // 3 600 products, every 40th of which has a twin that comes much later.
    let mut products = BTreeMap::new();
    for k in 0..3_600u64 {
        let own = if k >= 3_500 { (k - 3_500) * 35 } else { k };
        let looks = LookSet { enrolled: vec![towards(&unit(own), &unit(10_000 + k), 0.15)], ..LookSet::default() };
        products.insert(id(&format!("p{k:05}")), looks);
    }
    let gallery = Gallery::packed("space", line(), packed(&products)).unwrap();
    let found = (3_500..3_600u64)
        .filter(|k| {
            let alikes = gallery.alikes(&format!("p{k:05}"));
            alikes.first().is_some_and(|(name, _)| *name == format!("p{:05}", (k - 3_500) * 35))
        })
        .count();
    assert!(found >= 95, "{found} of 100");
    let strangers = gallery.iter().filter(|(name, _)| !gallery.alikes(name).is_empty()).count();
    assert_eq!(strangers, 2 * found);
}

#[test]
fn another_space_is_refused_and_so_is_another_length() {
    let other = Gallery::packed("new", line(), packed(&shop())).unwrap_err();
    assert_eq!(other.to_string(), "it holds looks of the space 'space', and the model's is 'new'");
    let (bytes, head) = block(&shop());
    let short = bytes[..bytes.len() - 1].to_vec();
    assert!(matches!(Packed::new(Arc::new(short), head), Err(GalleryFault::Length { .. })));
    assert_eq!(Head::parse(&bytes[..100]), Err(GalleryFault::NotOurs));
    let (empty, head) = block(&BTreeMap::new());
    assert!(Packed::new(Arc::new(empty), head).unwrap().is_empty());
}

/// With every view that is ever kept, long names, and a look-alike for each: what was promised of a large shop.
#[test]
fn fifty_thousand_products_take_less_than_100_mb() {
    let products = 50_000;
    let vectors = products * (ENROLLED_MAX + LEARNED_MAX) as u32;
    let (_, empty) = block(&BTreeMap::new());
    let head = Head { dimensions: 256, products, vectors, alikes: products, names: products * 24, ..empty };
    assert!((94_000_000..100_000_000).contains(&head.length()), "{}", head.length());
}

#[test]
fn products_out_of_order_or_of_another_length_stay_out() {
    let (mut builder, mut out) = (Builder::default(), Vec::new());
    assert!(builder.add(&id("b"), &set([1]), &mut out));
    let length = out.len();
    let short = LookSet { enrolled: vec![LookVector::from_bytes(&[1; 8])], ..LookSet::default() };
    for (name, looks) in [("a", set([2])), ("b", set([2])), ("c", short), ("d", LookSet::default())] {
        assert!(!builder.add(&id(name), &looks, &mut out), "{name}");
    }
    assert!(builder.add(&id("ba"), &set([3]), &mut out));
    assert_eq!(out.len(), 2 * length);
}

proptest! {
    /// Whatever a disk makes of the bytes: refused, or every look-up stays within them.
    #[test]
    fn damaged_bytes_are_refused_or_harmless(at in 0usize..2_000, to in any::<u8>(), cut in 0usize..40) {
        let (mut bytes, _) = block(&shop());
        let at = at % bytes.len();
        bytes[at] = to;
        bytes.truncate(bytes.len() - cut);
        let Ok(head) = Head::parse(&bytes) else { return Ok(()) };
        let Ok(packed) = Packed::new(Arc::new(bytes), head) else { return Ok(()) };
        let Ok(gallery) = Gallery::packed("space", line(), packed) else { return Ok(()) };
        for (name, looks) in gallery.iter() {
            let _ = looks.best(&crop(1));
            let _ = gallery.alikes(name);
        }
    }
}

/// Where a product was found last is no reason to believe that it still is the one asked for.
#[test]
fn a_hint_from_another_catalogue_misleads_nobody() {
    let changed = BTreeMap::from([(id("rice"), set([9]))]);
    let gallery = Gallery::packed("space", line(), packed(&shop())).unwrap().with(&changed);
    for order in [["butter", "milk", "rice", "none"], ["rice", "none", "milk", "butter"]] {
        for _ in 0..2 {
            for (number, name) in order.into_iter().enumerate() {
                let best = |looks: Looks<'_>| [1, 3, 9].map(|face| looks.best(&crop(face)));
                assert_eq!(gallery.looks_of(name, number, 4).map(best), gallery.looks(name).map(best), "{name}");
            }
        }
    }
}
