//! What a crop of a visit that was right may teach of a product's looks, and how much.
//!
//! Learned views are held to the enrolled ones, never to each other: however many visits teach, a product's looks stay within a bounded
//! distance of the pictures that staff took, and cannot wander over to another product.

use super::{Gallery, LEARNED_MAX, Probe};
use crate::units::{ValidationId, Wall};

/// A crop that the curve does not read as the product by so many nats is too far from what is known of it.
const NEAR_FROM: f64 = 2.5;
/// A crop that is so near to a known view says nothing new.
const KNOWN_FROM: f32 = 0.95;
/// By so much a crop must be nearer to the product's enrolled views than to those of any other product, a cosine.
const AHEAD: f32 = 0.1;
/// A product learns once in so long.
const EVERY_MS: i64 = 86_400_000;

/// Why a crop teaches nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nobody has enrolled the product.
    #[error("the product was never enrolled")]
    NotEnrolled,
    /// Others look like it.
    #[error("other products look like it")]
    Alike,
    /// Too far from what is known.
    #[error("it does not look enough like what was enrolled")]
    Far,
    /// Another product is as near.
    #[error("{0} looks as much like it")]
    NearAnother(String),
    /// It is known already.
    #[error("it is known already")]
    Known,
    /// The product has learned today.
    #[error("the product has learned today")]
    Today,
    /// The visit or the shopper has taught it before.
    #[error("the same visit or shopper has taught it before")]
    Again,
}

/// A view that some visit has taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taught {
    /// When.
    pub at: Wall,
    /// By which visit.
    pub visit: ValidationId,
    /// What stands for the shopper, if the list named one.
    pub shopper: Option<String>,
    /// Whether it still counts.
    pub holds: bool,
}

/// Whether a crop (a vector of unit length) that shows this product may become a view of it.
///
/// # Errors
/// Why not.
pub fn fits(gallery: &Gallery, product: &str, crop: &[f32]) -> Result<(), Unfit> {
    let crop = &Probe::new(crop);
    let own = gallery.looks(product).ok_or(Unfit::NotEnrolled)?;
    let near = own.best_enrolled(crop).ok_or(Unfit::NotEnrolled)?;
    if gallery.calibration.log_ratio(near) < NEAR_FROM {
        return Err(Unfit::Far);
    }
    if !gallery.alikes(product).is_empty() {
        return Err(Unfit::Alike);
    }
    if own.best(crop).is_some_and(|cosine| cosine >= KNOWN_FROM) {
        return Err(Unfit::Known);
    }
    let others = gallery.iter().filter(|(name, _)| *name != product);
    let rival =
        others.filter_map(|(name, looks)| Some((looks.best_enrolled(crop)?, name))).max_by(|a, b| a.0.total_cmp(&b.0));
    match rival {
        Some((cosine, name)) if cosine > near - AHEAD => Err(Unfit::NearAnother(name.to_owned())),
        Some(_) | None => Ok(()),
    }
}

/// Whether a product that was taught so far may be taught again now; the place of the view that then counts no more, if all are taken: the
/// oldest one.
///
/// # Errors
/// Why not.
pub fn due(taught: &[Taught], visit: &ValidationId, shopper: Option<&str>, now: Wall) -> Result<Option<usize>, Unfit> {
    if taught.iter().any(|before| before.visit == *visit || (shopper.is_some() && before.shopper.as_deref() == shopper))
    {
        return Err(Unfit::Again);
    }
    // A clock that was put back must not let it learn more often.
    if taught.iter().any(|before| now.ms().abs_diff(before.at.ms()) < EVERY_MS.unsigned_abs()) {
        return Err(Unfit::Today);
    }
    let holding = taught.iter().enumerate().filter(|(_, before)| before.holds);
    let full = holding.clone().count() >= LEARNED_MAX;
    Ok(holding.min_by_key(|(_, before)| before.at).map(|(place, _)| place).filter(|_| full))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goods::{LookCalibration, LookVector};

    fn axis(k: usize) -> Vec<f32> {
        (0..8).map(|i| if i == k { 1.0 } else { 0.0 }).collect()
    }

    fn between(a: usize, b: usize, share: f32) -> Vec<f32> {
        let norm = (1.0 + share * share).sqrt();
        axis(a).iter().zip(axis(b)).map(|(x, y)| (x + share * y) / norm).collect()
    }

    fn gallery() -> Gallery {
        let calibration = LookCalibration { a: 10.0, b: -4.0, curve: Vec::new() };
        let look = |k| vec![LookVector::quantise(&axis(k))];
        let twin = vec![LookVector::quantise(&between(3, 4, 0.2))];
        let looks = [("milk", look(0)), ("rice", look(1))].map(|(name, looks)| (name.parse().unwrap(), looks));
        let set = |enrolled| crate::goods::LookSet { enrolled, learned: Vec::new() };
        Gallery::of("s", calibration, looks)
            .with(&[("tea".parse().unwrap(), set(look(3))), ("twin".parse().unwrap(), set(twin))].into())
    }

    #[test]
    fn only_what_is_near_and_new_and_nobody_elses_teaches() {
        let gallery = gallery();
        // 35 degrees from the milk towards nothing that is known.
        assert_eq!(fits(&gallery, "milk", &between(0, 6, 0.7)), Ok(()));
        assert_eq!(fits(&gallery, "milk", &between(0, 6, 0.1)), Err(Unfit::Known));
        assert_eq!(fits(&gallery, "milk", &between(0, 6, 1.6)), Err(Unfit::Far));
        assert_eq!(fits(&gallery, "milk", &between(0, 1, 0.95)), Err(Unfit::NearAnother("rice".to_owned())));
        assert_eq!(
            fits(&gallery, "milk", &axis(1)),
            Err(Unfit::Far),
            "another product's picture is none of the milk's"
        );
        assert_eq!(fits(&gallery, "tea", &between(3, 6, 0.7)), Err(Unfit::Alike));
        assert_eq!(fits(&gallery, "soap", &axis(0)), Err(Unfit::NotEnrolled));
    }

    /// Whoever wants a product to look like another one, and may teach it every day, gets no further than the first step.
    #[test]
    fn looks_do_not_wander_however_often_somebody_teaches() {
        let mut learned: Vec<LookVector> = Vec::new();
        for day in 1..200 {
            let crop = between(0, 1, 0.02 * day as f32);
            let set =
                crate::goods::LookSet { enrolled: vec![LookVector::quantise(&axis(0))], learned: learned.clone() };
            let gallery = gallery().with(&[("milk".parse().unwrap(), set)].into());
            if fits(&gallery, "milk", &crop).is_ok() {
                learned.insert(0, LookVector::quantise(&crop));
                learned.truncate(LEARNED_MAX);
            }
        }
        let set = crate::goods::LookSet { enrolled: vec![LookVector::quantise(&axis(0))], learned };
        let gallery = gallery().with(&[("milk".parse().unwrap(), set)].into());
        let milk = gallery.looks("milk").unwrap();
        assert_eq!((milk.enrolled(), milk.learned()), (1, 2), "it did learn");
        assert!(milk.best_enrolled(&Probe::new(&axis(0))).unwrap() > 0.99);
        let rice = gallery.looks("rice").unwrap();
        assert!(milk.best(&Probe::new(&axis(1))).unwrap() < 0.7 && rice.best(&Probe::new(&axis(1))).unwrap() > 0.99);
    }

    #[test]
    fn a_product_learns_once_a_day_and_from_each_visit_and_shopper_once() {
        let visit = |name: &str| name.parse::<ValidationId>().unwrap();
        let day = |n: i64| Wall::from_ms(n * EVERY_MS);
        let taught = |n: i64, by: &str, holds| Taught {
            at: day(n),
            visit: visit(&format!("v-{n}")),
            shopper: Some(by.to_owned()),
            holds,
        };
        let before = [taught(1, "anna", true), taught(2, "ben", false)];
        assert_eq!(due(&before, &visit("v-9"), Some("carl"), day(3)), Ok(None));
        assert_eq!(due(&before, &visit("v-9"), None, day(3)), Ok(None));
        assert_eq!(due(&before, &visit("v-2"), None, day(9)), Err(Unfit::Again));
        assert_eq!(due(&before, &visit("v-9"), Some("ben"), day(9)), Err(Unfit::Again));
        assert_eq!(due(&before, &visit("v-9"), None, Wall::from_ms(3 * EVERY_MS - 1)), Err(Unfit::Today));
        let full = [taught(1, "anna", true), taught(2, "ben", false), taught(4, "carl", true)];
        assert_eq!(due(&full, &visit("v-9"), Some("dora"), day(6)), Ok(Some(0)), "the oldest gives way");
    }
}
