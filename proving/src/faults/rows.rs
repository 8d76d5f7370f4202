//! Every fault that a daemon must survive, with what is promised of it: the rows of the weighing faults in SPECIFICATION.md.

use firmware_sim::hw::Parity;
use firmware_sim::rig::Fault;

/// One row: a fault, and within which time no weight that it has spoilt enters a verdict any more.
#[derive(Debug, Clone)]
pub struct Row {
    /// For people and for `--only`.
    pub name: &'static str,
    /// What is planted.
    pub fault: Fault,
    /// After so many milliseconds a weight that the fault has made wrong is in no verdict any more; `None` where nobody can
    /// notice it from the cells alone.
    pub noticed_within_ms: Option<u64>,
    /// Whether an honest basket passes in the end without anybody's help.
    pub mends_itself: bool,
}

fn row(name: &'static str, fault: Fault, noticed_within_ms: u64) -> Row {
    Row { name, fault, noticed_within_ms: Some(noticed_within_ms), mends_itself: true }
}

fn unseen(name: &'static str, fault: Fault) -> Row {
    Row { name, fault, noticed_within_ms: None, mends_itself: true }
}

/// What may happen to a load-cell board, its line and its cells.
pub fn board() -> Vec<Row> {
    let other = || Fault::OtherDevice { serial_number: "LCB-999999".to_owned() };
    vec![
        row("unplugged", Fault::Unplug, 0),
        row("another board", other(), 350),
        row("bytes lost", Fault::LoseBytes { rate: 0.02 }, 0),
        row("bits turned", Fault::FlipBits { rate: 0.02 }, 0),
        row("frames twice", Fault::DuplicateFrames { rate: 0.3 }, 0),
        row("frames in pieces", Fault::Split { gap_ms: 30 }, 0),
        row("frames in pieces, far apart", Fault::Split { gap_ms: 80 }, 0),
        row("frames in lumps", Fault::Join { ms: 120 }, 0),
        row("late by 40 ms", Fault::Late { ms: 40 }, 0),
        row("backlog, then all at once", Fault::HoldBack, 350),
        row("garbage flood", Fault::Garbage { bytes_per_s: 4_000 }, 0),
        row("wrong speed", Fault::HostLine { baud: Some(57_600), data_bits: None, parity: None }, 350),
        row("wrong parity", Fault::HostLine { baud: None, data_bits: Some(7), parity: Some(Parity::Even) }, 350),
        row("silent", Fault::Silent, 350),
        row("counts frozen", Fault::FreezeCounts, 350),
        row("same frame for ever", Fault::FreezeFrame, 350),
        row("cell dead", Fault::DeadCell { channel: 2 }, 350),
        row("cell open", Fault::OpenCell { channel: 1 }, 50),
        row("cell stuck", Fault::StuckCell { channel: 3 }, 350),
        row("cell late", Fault::TimedOutCell { channel: 0 }, 50),
        row("saturated", Fault::Saturate { low: false, channel: None }, 50),
        row("saturated low, one cell", Fault::Saturate { low: true, channel: Some(1) }, 50),
        row("burst on all cells", Fault::Spikes { per_s: 4.0, grams: 2_000.0, channel: None }, 100),
        row("burst on one cell", Fault::Spikes { per_s: 4.0, grams: 500.0, channel: Some(2) }, 100),
        row("brown-out, told", Fault::BrownOut { ratio: 0.8, told: true }, 50),
        row("board starts anew", Fault::Reboot, 0),
        row("board clock jumps on", Fault::ClockJump { ms: 5_000 }, 0),
        row("board clock jumps back", Fault::ClockJump { ms: -5_000 }, 0),
        row("board clock 5 % fast", Fault::ClockDrift { ppm: 50_000.0 }, 0),
        row("zero wanders 24 g a minute", Fault::ZeroDrift { g_per_min: 6.0, channel: None }, 0),
        unseen("brown-out, not told", Fault::BrownOut { ratio: 0.97, told: false }),
        unseen("wheel or dirt carries a tenth", Fault::FrameTouches { share: 0.1, at_mm: [150.0, 100.0] }),
    ]
}

/// What may happen to a finished scale and its line; its cells are its own affair. A scale that `tells_once` answers each weighing
/// once (Checkout-Dialog): when that answer is lost, the basket must be lifted, and that is the shopper's affair.
pub fn indicator(tells_once: bool) -> Vec<Row> {
    let mut rows = any_indicator();
    for row in &mut rows {
        row.mends_itself &= !tells_once;
    }
    rows
}

fn any_indicator() -> Vec<Row> {
    vec![
        row("unplugged", Fault::Unplug, 0),
        row("bytes lost", Fault::LoseBytes { rate: 0.02 }, 0),
        row("frames twice", Fault::DuplicateFrames { rate: 0.3 }, 0),
        row("frames in pieces", Fault::Split { gap_ms: 30 }, 0),
        row("late by 40 ms", Fault::Late { ms: 40 }, 0),
        row("backlog, then all at once", Fault::HoldBack, 1_050),
        row("wrong speed", Fault::HostLine { baud: Some(4_800), data_bits: None, parity: None }, 1_050),
        row("silent", Fault::Silent, 1_050),
        // Under a basket it may have taken the basket for zero: staff must look.
        Row { mends_itself: false, ..row("scale starts anew", Fault::Reboot, 400) },
    ]
}
