use super::*;

/// A plate whose cells' true gains are known, with a share of flexibility (0 rigid).
struct Bench {
    site: Site,
    /// True counts a gram.
    gains: Vec<f64>,
    /// Raw counts of the empty plate.
    zero: f64,
    twist: f64,
    noise: Noise,
    noise_g: f64,
    creep_g: f64,
}

/// Uniform deviates of unit variance from Knuth's linear congruential generator.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 / (1_u64 << 53) as f64 - 0.5) * 12.0_f64.sqrt()
    }
}

const RECTANGLE: [[f64; 2]; 4] = [[-210.0, -140.0], [210.0, -140.0], [210.0, 140.0], [-210.0, 140.0]];

impl Bench {
    fn new(places: &[[f64; 2]], off: &[f64]) -> Self {
        let cell = |(i, [x_mm, y_mm]): (usize, &[f64; 2])| SiteCell {
            serial_number: format!("C-{}", i + 1),
            x_mm: *x_mm,
            y_mm: *y_mm,
            counts_per_g: 42.0,
            capacity_g: 30_000.0,
        };
        let cells = places.iter().enumerate().map(cell).collect();
        let site = Site { board_serial: "LCB-7".to_owned(), cells, max_g: 30_000.0, division_g: 5.0 };
        let gains = off.iter().map(|off| 42.0 * (1.0 + off)).collect();
        Self { site, gains, zero: 8_000.0, twist: 0.0, noise: Noise(1), noise_g: 0.0, creep_g: 0.0 }
    }

    /// Shares of one gram at a place: a plane through the cells, found by solving the three equations of balance in the span
    /// of 1, x, y (Cramer's rule); with `twist` so much of the bilinear rule of a rectangle instead.
    fn shares(&self, [x, y]: [f64; 2]) -> Vec<f64> {
        let cells = &self.site.cells;
        let sum = |f: &dyn Fn(&SiteCell) -> f64| cells.iter().map(f).sum::<f64>();
        let (n, sx, sy) = (cells.len() as f64, sum(&|c| c.x_mm), sum(&|c| c.y_mm));
        let (xx, xy, yy) = (sum(&|c| c.x_mm * c.x_mm), sum(&|c| c.x_mm * c.y_mm), sum(&|c| c.y_mm * c.y_mm));
        let m = nalgebra::Matrix3::new(n, sx, sy, sx, xx, xy, sy, xy, yy);
        let plane = m.lu().solve(&nalgebra::Vector3::new(1.0, x, y)).unwrap();
        let bilinear = |c: &SiteCell| (1.0 + x / c.x_mm) * (1.0 + y / c.y_mm) / 4.0;
        cells
            .iter()
            .map(|c| {
                let rigid = plane[0] + plane[1] * c.x_mm + plane[2] * c.y_mm;
                if self.twist > 0.0 { rigid + self.twist * (bilinear(c) - rigid) } else { rigid }
            })
            .collect()
    }

    fn still(&mut self, grams: f64, at_mm: [f64; 2], left_g: f64) -> Still {
        let shares = self.shares(at_mm);
        let mean_counts = shares
            .iter()
            .zip(&self.gains.clone())
            .map(|(share, gain)| {
                let noise = self.noise_g * self.noise.next();
                self.zero + gain * (grams * share + left_g / shares.len() as f64 + noise)
            })
            .collect();
        let sd_counts = self.gains.iter().map(|g| g * 0.5).collect();
        Still { samples: 120, mean_counts, sd_counts, scatter_g: 1.0, drift_g: 0.1, saturated: Vec::new() }
    }

    fn placement(&mut self, spot: Spot, mass_g: f64) -> Placement {
        let at_mm = self.site.mark_mm(spot);
        let left_g = self.creep_g * self.noise.next();
        let before = self.still(0.0, at_mm, left_g);
        let creep_g = self.creep_g * self.noise.next();
        let loaded = self.still(mass_g + creep_g, at_mm, left_g);
        let left_g = self.creep_g * self.noise.next();
        let after = self.still(0.0, at_mm, left_g);
        Placement { spot, at_mm, mass_g, before, loaded, after }
    }

    fn round(&mut self, mass_g: f64) -> Vec<Placement> {
        let spots = self.site.spots().repeat(REPEATS_MIN);
        spots.into_iter().map(|spot| self.placement(spot, mass_g)).collect()
    }

    /// What the calibrated cells say of a mass at a place: sum and centre of gravity.
    fn weigh(&self, calibration: &Calibration, mass_g: f64, at_mm: [f64; 2]) -> (f64, [f64; 2]) {
        let told: Vec<f64> = self
            .shares(at_mm)
            .iter()
            .zip(&self.gains)
            .zip(&calibration.cells)
            .map(|((share, gain), cell)| mass_g * share * gain / cell.counts_per_g)
            .collect();
        let sum: f64 = told.iter().sum();
        let along = |of: &dyn Fn(&SiteCell) -> f64| {
            told.iter().zip(&self.site.cells).map(|(m, c)| m * of(c)).sum::<f64>() / sum
        };
        (sum, [along(&|c| c.x_mm), along(&|c| c.y_mm)])
    }

    fn calibrate(&self, placements: &[Placement]) -> Result<(Calibration, Report), Vec<CalibrationFault>> {
        calibrate(&self.site, placements, "A. Tester", Wall::from_ms(5)).map_err(|refused| refused.faults)
    }
}

fn rectangle() -> Bench {
    Bench::new(&RECTANGLE, &[0.01, -0.006, 0.004, -0.012])
}

#[test]
fn sums_are_right_everywhere_on_plates_of_any_shape() {
    let hexagon: Vec<[f64; 2]> = (0..6)
        .map(|i| f64::from(i) * std::f64::consts::FRAC_PI_3)
        .map(|a| [300.0 * a.cos(), 250.0 * a.sin()])
        .collect();
    let triangle = [[0.0, 200.0], [-180.0, -100.0], [150.0, -130.0]];
    let cases = [
        (RECTANGLE.to_vec(), vec![0.01, -0.006, 0.004, -0.012], 1),
        (hexagon, vec![0.01, -0.01, 0.005, 0.0, -0.004, 0.012], 3),
        (triangle.to_vec(), vec![0.015, -0.01, 0.002], 0),
    ];
    for (places, off, open) in cases {
        let mut bench = Bench::new(&places, &off);
        let placements = bench.round(10_000.0);
        let (calibration, report) = bench.calibrate(&placements).unwrap();
        assert_eq!(report.open_patterns, open, "{report:?}");
        for at_mm in [[0.0, 0.0], [120.0, 40.0], [-90.0, -80.0], [60.0, -70.0]] {
            let (sum, _) = bench.weigh(&calibration, 10_000.0, at_mm);
            assert!((sum - 10_000.0).abs() < 0.3, "{places:?} {at_mm:?}: {sum}");
        }
        assert_eq!(calibration.cells[0].zero_counts, 8_000.0);
        assert!((calibration.cells[0].noise_g - 0.5).abs() < 0.01);
    }
}

#[test]
fn the_pattern_that_no_sum_shows_is_told_by_the_moments_alone() {
    // Gains off by (1, -1, 1, -1) · 1 %: every sum on a rigid plate is right, every centre of gravity off.
    let mut bench = Bench::new(&RECTANGLE, &[0.01, -0.01, 0.01, -0.01]);
    let placements = bench.round(10_000.0);
    let (calibration, _) = bench.calibrate(&placements).unwrap();
    let nominal = bench.site.cells.iter().zip(&calibration.cells);
    let untouched = nominal
        .map(|(cell, kept)| CalibratedCell { counts_per_g: cell.counts_per_g, ..kept.clone() })
        .collect::<Vec<_>>();
    let before = Calibration { cells: untouched, ..calibration.clone() };
    let at_mm = [150.0, 100.0];
    let off = |calibration: &Calibration| {
        let (sum, [x, y]) = bench.weigh(calibration, 10_000.0, at_mm);
        (sum, (x - at_mm[0]).hypot(y - at_mm[1]))
    };
    let ((sum, after_mm), (_, before_mm)) = (off(&calibration), off(&before));
    assert!((sum - 10_000.0).abs() < 0.5, "{sum}");
    assert!(before_mm > 1.5 && after_mm < 0.5 * before_mm, "{before_mm} {after_mm}");
}

#[test]
fn masses_beside_their_marks_do_not_spoil_the_sums() {
    let mut bench = rectangle();
    let mut placements = bench.round(10_000.0);
    for placement in &mut placements {
        placement.at_mm[0] += 12.0 * bench.noise.next();
        placement.at_mm[1] += 12.0 * bench.noise.next();
    }
    let (calibration, report) = bench.calibrate(&placements).unwrap();
    assert!((10.0..25.0).contains(&report.placing_mm), "{report:?}");
    for at_mm in RECTANGLE {
        let (sum, _) = bench.weigh(&calibration, 10_000.0, at_mm);
        assert!((sum - 10_000.0).abs() < 0.5, "{sum}");
    }
}

#[test]
fn a_plate_that_bends_shows_every_gain_in_the_sums() {
    let mut bench = rectangle();
    bench.twist = 0.3;
    let placements = bench.round(10_000.0);
    let (calibration, report) = bench.calibrate(&placements).unwrap();
    assert_eq!(report.open_patterns, 0, "{report:?}");
    assert!(report.condition < 15.0, "{report:?}");
    for (cell, gain) in calibration.cells.iter().zip(&bench.gains) {
        assert!((cell.counts_per_g / gain - 1.0).abs() < 2e-4, "{calibration:?}");
    }
    // 0.85² / 4 on each cell in the twist pattern is 0.36 of the mass for a wholly pliant plate.
    assert!((report.twist_share - 0.3 * 0.85 * 0.85 / 2.0).abs() < 0.005, "{report:?}");
}

#[test]
fn what_is_predicted_is_what_comes() {
    // One reading's chance of 0.5 g a cell: the sum's is 1 g, with the zero's half of that squared again 1.22 g.
    let (mut spreads, mut below, mut predicted) = (Vec::new(), 0, 0.0);
    let runs = 200;
    for run in 0..runs {
        let mut bench = rectangle();
        bench.noise = Noise(run);
        bench.noise_g = 0.5;
        let placements = bench.round(10_000.0);
        let (calibration, report) = bench.calibrate(&placements).unwrap();
        assert!((0.5..2.2).contains(&report.residual_g), "{report:?}");
        let told = bench.site.spots().into_iter().map(|s| bench.weigh(&calibration, 10_000.0, bench.site.mark_mm(s)).0);
        let (low, high) = told.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), m| (l.min(m), h.max(m)));
        below += usize::from(high - low <= report.corner_spread_p95_g);
        predicted += report.corner_spread_g / runs as f64;
        spreads.push(high - low);
    }
    let mean = spreads.iter().sum::<f64>() / spreads.len() as f64;
    assert!((0.8..1.25).contains(&(predicted / mean)), "{predicted} {mean}");
    assert!(below >= 184, "{below} of {runs}");
    spreads.sort_by(f64::total_cmp);
    assert!(spreads[190] < 3.0, "{}", spreads[190]);
}

#[test]
fn a_common_factor_is_no_fault_and_a_wrong_mass_is() {
    let mut bench = Bench::new(&RECTANGLE, &[0.11, 0.09, 0.1, 0.1]);
    let placements = bench.round(10_000.0);
    let (_, report) = bench.calibrate(&placements).unwrap();
    assert!((report.common_share - 1.1).abs() < 0.001, "{report:?}");

    let mut placements = rectangle().round(10_000.0);
    placements.iter_mut().for_each(|p| p.mass_g = 20_000.0);
    let faults = rectangle().calibrate(&placements).unwrap_err();
    assert!(
        matches!(faults[..], [CalibrationFault::ScaleImplausible { share }] if (share - 0.5).abs() < 0.01),
        "{faults:?}"
    );
}

#[test]
fn dead_reversed_and_weak_cells_are_named() {
    for (gain, wanted) in [(0.0, "does not answer"), (-1.0, "wrong way round"), (0.7, "as its kin")] {
        let mut bench = rectangle();
        bench.gains[2] *= gain;
        let placements = bench.round(10_000.0);
        let faults = bench.calibrate(&placements).unwrap_err();
        let told = CalibrationRefused { faults: faults.clone() }.to_string();
        assert!(told.contains("cell 3 (C-3)") && told.contains(wanted), "{gain}: {told}");
        assert!(!told.contains("cell 2 (C-2)"), "{gain}: {told}");
    }
}

#[test]
fn cables_in_each_others_place_are_named() {
    for a in 0..4 {
        for b in 0..a {
            let mut bench = rectangle();
            let mut placements = bench.round(10_000.0);
            for placement in &mut placements {
                for still in [&mut placement.before, &mut placement.loaded, &mut placement.after] {
                    still.mean_counts.swap(a, b);
                }
            }
            let faults = bench.calibrate(&placements).unwrap_err();
            let wanted = CalibrationFault::SwappedCables(bench.site.name(b), bench.site.name(a));
            assert_eq!(faults, [wanted]);
        }
    }
    let mut bench = rectangle();
    let mut placements = bench.round(10_000.0);
    for placement in &mut placements {
        for still in [&mut placement.before, &mut placement.loaded, &mut placement.after] {
            still.mean_counts[..3].rotate_left(1);
        }
    }
    let faults = bench.calibrate(&placements).unwrap_err();
    assert!(matches!(&faults[..], [CalibrationFault::PermutedCables(cells)] if cells.len() == 3), "{faults:?}");
}

#[test]
fn a_mass_put_elsewhere_is_told() {
    let mut bench = rectangle();
    let mut placements = bench.round(10_000.0);
    let mut lazy = bench.placement(Spot::Centre, 10_000.0);
    lazy.spot = Spot::Cell(1);
    lazy.at_mm = bench.site.mark_mm(Spot::Cell(1));
    placements[2] = lazy;
    let faults = bench.calibrate(&placements).unwrap_err();
    let which = Which { spot: Spot::Cell(1), time: 1 };
    assert!(matches!(faults[..], [CalibrationFault::Misplaced { which: w, .. }] if w == which), "{faults:?}");
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let mut bench = rectangle();
    let mut placements = bench.round(5_000.0);
    placements.retain(|p| p.spot != Spot::Cell(3));
    let first = placements.iter().position(|p| p.spot == Spot::Centre).unwrap();
    placements.remove(first);
    placements[0].loaded.drift_g = 4.0;
    placements[1].after.mean_counts[0] += 42.0 * 9.0;
    placements[2].loaded.saturated = vec![2];
    let faults = bench.calibrate(&placements).unwrap_err();
    use CalibrationFault as F;
    assert!(faults.contains(&F::MissingCorner(bench.site.name(3))), "{faults:?}");
    assert!(faults.contains(&F::TooFewRepeats { spot: Spot::Centre, found: 2, needed: 3 }), "{faults:?}");
    assert!(faults.iter().any(|f| matches!(f, F::TooLight { .. })), "{faults:?}");
    assert!(faults.iter().any(|f| matches!(f, F::Unsettled { phase: Phase::Loaded, .. })), "{faults:?}");
    assert!(
        faults.iter().any(|f| matches!(f, F::ZeroNotReturning { by_g, .. } if (by_g - 9.0).abs() < 0.01)),
        "{faults:?}"
    );
    assert!(faults.iter().any(|f| matches!(f, F::Saturated { cell, .. } if cell.channel == 2)), "{faults:?}");
    assert_eq!(faults.len(), 6, "{faults:?}");
    assert!(matches!(bench.calibrate(&[]).unwrap_err()[..], [F::MissingCentre, F::MissingCorner(_), ..]));
}

#[test]
fn sums_that_do_not_fit_are_refused_with_the_worst_named() {
    let mut bench = rectangle();
    let mut placements = bench.round(10_000.0);
    placements[7] = bench.placement(Spot::Cell(1), 10_030.0);
    placements[7].mass_g = 10_000.0;
    let faults = bench.calibrate(&placements).unwrap_err();
    let which = Which { spot: Spot::Cell(1), time: 2 };
    assert!(
        matches!(faults[..], [CalibrationFault::Residual { worst, worst_g, .. }] if worst == which && worst_g > 20.0),
        "{faults:?}"
    );
}

#[test]
fn a_calibration_survives_writing_and_reading() {
    let mut bench = rectangle();
    let placements = bench.round(10_000.0);
    let (calibration, _) = bench.calibrate(&placements).unwrap();
    let text = serde_json::to_string(&calibration).unwrap();
    assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), calibration);
    assert!(serde_json::from_str::<Calibration>(&text.replace("\"by\"", "\"bye\"")).is_err());
}
