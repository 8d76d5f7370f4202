//! What is believed of baskets before anything is weighed. Shares follow what audits and staff report (FIELD 3.2 and 3.5); the rate of
//! errors and what they cost are the retailer's and stand in [`super::Policy`].

/// Shares of all errors; they sum to 1.
pub mod share {
    /// Something was not scanned: by far the most frequent.
    pub const UNSCANNED: f64 = 0.54;
    /// Three or more different things were not scanned.
    pub const SEVERAL: f64 = 0.02;
    /// Something else lies there than was scanned.
    pub const SWAPPED: f64 = 0.13;
    /// More units of a line than scanned.
    pub const MORE: f64 = 0.16;
    /// Fewer units of a line than scanned, or none.
    pub const LESS: f64 = 0.14;
    /// Several lines are not there.
    pub const LESS_SEVERAL: f64 = 0.01;
}

/// Of what was not scanned: two different products, because who forgets once forgets again.
pub const PAIR: f64 = 0.10;
/// One, two, three units of one unscanned product.
pub const UNSCANNED_UNITS: [f64; 3] = [0.84, 0.12, 0.04];
/// One, two, three units more than scanned.
pub const MORE_UNITS: [f64; 3] = [0.80, 0.15, 0.05];
/// Of a line of several units, one is missing rather than all.
pub const ONE_FEWER: f64 = 0.45;
/// Of a line of several units, more than one but not all are missing.
pub const SOME_FEWER: f64 = 0.05;
/// What lies there instead is of the scanned product's category.
pub const SAME_CATEGORY: f64 = 0.6;

/// An honest shopper's own bag that nobody declared.
pub const STRAY_BAG: f64 = 0.007;
/// An honest shopper's own thing on the plate: handbag, phone, toy.
pub const FOREIGN: f64 = 0.0025;
/// What such a thing weighs: (share, mean, 1 sigma) in grams.
pub const FOREIGN_G: [(f64, f64, f64); 3] = [(0.4, 250.0, 100.0), (0.4, 900.0, 350.0), (0.2, 2000.0, 800.0)];
/// Goods put down by themselves between scans, where goods come one after the other, rather than with something scanned.
pub const ALONE: f64 = 0.45;
/// Units more than scanned put down by themselves, rather than with the line's own. An assumption: nobody has counted it.
pub const MORE_ALONE: f64 = 0.1;
/// A bag or an own thing put down by itself.
pub const STRAY_ALONE: f64 = 0.85;
/// A bag, or an own thing, that the detector takes for goods when it comes by itself. Assumptions: the detector was trained to pass bags over.
pub const BAG_SHOWN: f64 = 0.3;
/// See [`BAG_SHOWN`].
pub const FOREIGN_SHOWN: f64 = 0.8;
/// Of these, before the first good that is scanned or after the last one, rather than between two: who packs into an own bag brings it first. An
/// assumption: nobody has counted it. Goods that nobody scans come anywhere.
pub const STRAY_BESIDE: f64 = 0.8;
/// Half of all "several things" weigh less than this, grams. Their tail is that of a power, because no residual, however great, may be
/// explained by nothing at all.
pub const SEVERAL_MEDIAN_G: f64 = 1500.0;

/// A pack has silently changed since its weight was learned: (share of such changes, mean change, 1 sigma) as shares of its mass. Packs
/// shrink more often than they grow. How often it happens is the retailer's to say.
pub const REPACKED: [(f64, f64, f64); 2] = [(0.7, -0.10, 0.05), (0.3, 0.12, 0.07)];
/// By how much a weight label that belongs to something else is off: 1 sigma as a share of the label, and in grams.
pub const WRONG_LABEL: (f64, f64) = (0.35, 20.0);

/// Excess kurtosis of what a pack, a container or a scale is off by: a few units in a hundred are several times as far off as the rest.
pub const EXCESS: f64 = 4.0;
/// Excess kurtosis of what grew: it varies widely, but evenly.
pub const EXCESS_GROWN: f64 = 0.5;

/// Share of containers that are not the one that somebody says they are: a number misread, or a trolley exchanged on the way.
pub const OTHER_CONTAINER: f64 = 0.02;
