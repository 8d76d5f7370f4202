use std::path::Path;

use super::*;
use crate::board::wire::Deframer;
use crate::hw::{self, Parity};
use crate::world::{Edge, Load, Thing};

/// Board `plate` and an MT-SICS scale that stands beside it.
fn hardware() -> Hardware {
    let mut hardware = hw::tests::plate();
    let mut scale = hw::tests::indicator("mt-sics");
    scale.x_mm = 1000.0;
    hardware.indicators.push(scale);
    hardware
}

fn rig() -> Rig {
    Rig::new(&hardware(), 9)
}

const BOARD: usize = 0;
const SCALE: usize = 1;

fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    Deframer::default().push(bytes)
}

fn samples(bytes: &[u8]) -> Vec<Vec<u8>> {
    frames(bytes).into_iter().filter(|frame| frame[1] == 1).collect()
}

fn counts(frame: &[u8]) -> Vec<i32> {
    frame[10..26].chunks(4).map(|four| i32::from_le_bytes(four.try_into().unwrap())).collect()
}

fn stamp_us(frame: &[u8]) -> u32 {
    u32::from_le_bytes(frame[4..8].try_into().unwrap())
}

/// The bytes of a port from the time reached to `until_us`, in the lumps in which a host that looks every millisecond
/// finds them.
fn lumps(rig: &mut Rig, port: usize, until_us: u64) -> Vec<(u64, Vec<u8>)> {
    let mut lumps = Vec::new();
    while rig.world().now_us() < until_us {
        rig.advance_to(rig.world().now_us() + 1000);
        let bytes = rig.take_bytes(port);
        if !bytes.is_empty() {
            lumps.push((rig.world().now_us(), bytes));
        }
    }
    lumps
}

fn run(rig: &mut Rig, port: usize, until_us: u64) -> Vec<u8> {
    lumps(rig, port, until_us).into_iter().flat_map(|(_, bytes)| bytes).collect()
}

/// Plants a fault on the board from 1 s to 2 s; gives what came before, during and after it, a second each.
fn board_under(fault: Fault) -> [Vec<u8>; 3] {
    let mut rig = rig();
    rig.world_mut().set_load(weight(8000.0, [0.0, 0.0]));
    rig.plant(BOARD, fault, 1_000_000, Some(2_000_000)).unwrap();
    [1, 2, 3].map(|second| run(&mut rig, BOARD, second * 1_000_000))
}

fn weight(mass_g: f64, at_mm: [f64; 2]) -> Load {
    Load { things: vec![Thing { name: "weight".into(), mass_g, at_mm }], ..Load::default() }
}

#[test]
fn the_stream_is_the_same_however_late_it_is_fetched() {
    let run = |step_us: usize| {
        let mut rig = rig();
        rig.plant(BOARD, Fault::FlipBits { rate: 0.01 }, 200_000, Some(700_000)).unwrap();
        rig.plant(BOARD, Fault::Garbage { bytes_per_s: 500 }, 300_000, None).unwrap();
        let mut bytes = Vec::new();
        for t_us in (0..=1_000_000).step_by(step_us) {
            rig.advance_to(t_us);
            bytes.extend(rig.take_bytes(BOARD));
        }
        bytes
    };
    assert_eq!(run(1_000), run(250_000));
    let mut undisturbed = rig();
    undisturbed.advance_to(1_000_000);
    assert_eq!(samples(&undisturbed.take_bytes(BOARD)).len(), 79);
}

#[test]
fn a_cable_pulled_and_put_back() {
    let mut rig = rig();
    rig.advance_to(500_000);
    rig.take_bytes(BOARD);
    rig.unplug(BOARD);
    rig.advance_to(2_000_000);
    assert!(rig.take_bytes(BOARD).is_empty());
    assert_eq!(rig.next_bytes_us(BOARD), None);
    rig.replug(BOARD);
    rig.advance_to(2_200_000);
    let frames = frames(&rig.take_bytes(BOARD));
    assert_eq!(frames[0][..8], [1, 2, 0, 0, 0, 0, 0, 0], "the boot info comes first");
    assert_eq!(frames.len(), 1 + 15);
    assert!(frames[1..].iter().all(|frame| frame[9] & 0x80 != 0));
}

#[test]
fn ports_have_names_and_numbers() {
    let rig = rig();
    let names: Vec<&str> = rig.ports().iter().map(|port| port.name.as_str()).collect();
    assert_eq!(names, ["plate", "scale"]);
    assert_eq!(rig.port_named("scale"), Some(SCALE));
    assert_eq!(rig.ports()[SCALE].path, Path::new("run/scale"));
    assert_eq!((rig.ports()[BOARD].channels(), rig.ports()[SCALE].channels()), (4, 4));
}

#[test]
fn a_scale_weighs_what_stands_on_it_alone_and_keeps_its_mind_without_a_cable() {
    let mut rig = rig();
    rig.advance_to(3_000_000);
    rig.world_mut().set_load(weight(2000.0, [1000.0, 0.0]));
    let ask = |rig: &mut Rig| {
        rig.receive(SCALE, b"SI\r\n");
        String::from_utf8(run(rig, SCALE, rig.world().now_us() + 100_000)).unwrap()
    };
    run(&mut rig, SCALE, 9_000_000);
    let before = ask(&mut rig);
    assert!(before.starts_with("S S      2.000") || before.starts_with("S S      1.995"), "{before}");
    rig.unplug(SCALE);
    rig.advance_to(10_000_000);
    assert_eq!(ask(&mut rig), "");
    rig.replug(SCALE);
    assert_eq!(ask(&mut rig), before, "it has a plug of its own and did not boot");
}

#[test]
fn an_answer_takes_the_time_of_question_and_answer() {
    let mut rig = rig();
    run(&mut rig, SCALE, 3_000_000);
    rig.receive(SCALE, b"SI\r\n");
    let came = lumps(&mut rig, SCALE, 3_200_000);
    // 4 characters out and 19 back at 9600 baud are 23.96 ms, and 4 ms are the firmware's.
    assert_eq!((came.len(), came[0].0), (1, 3_028_000));
}

#[test]
fn bytes_are_lost_turned_and_doubled() {
    let [before, during, after] = board_under(Fault::LoseBytes { rate: 0.02 });
    assert!((1..=60).contains(&samples(&during).len()), "of 80 frames of 38 bytes about half survive");
    assert!(before.len() - during.len() > 20 && samples(&after).len() >= 79);
    let [before, during, _] = board_under(Fault::FlipBits { rate: 0.02 });
    assert!(samples(&during).len() < 60 && before.len().abs_diff(during.len()) < 200);
    let [_, during, after] = board_under(Fault::DuplicateFrames { rate: 0.5 });
    let (came, mut once) = (samples(&during), samples(&during));
    once.dedup();
    assert!((100..=140).contains(&came.len()) && once.len().abs_diff(80) <= 1, "{} {}", came.len(), once.len());
    assert!(samples(&after).len().abs_diff(80) <= 1);
}

#[test]
fn a_backlog_comes_in_one_burst() {
    let mut rig = rig();
    rig.plant(BOARD, Fault::HoldBack, 1_000_000, Some(2_000_000)).unwrap();
    run(&mut rig, BOARD, 1_004_000);
    assert!(run(&mut rig, BOARD, 1_999_000).is_empty());
    let came = lumps(&mut rig, BOARD, 2_001_000);
    assert_eq!((came.len(), samples(&came[0].1).len()), (1, 80));
}

#[test]
fn messages_come_late_in_lumps_and_in_pieces() {
    let first_us = |fault| {
        let mut rig = rig();
        rig.plant(BOARD, fault, 0, None).unwrap();
        lumps(&mut rig, BOARD, 1_000_000)
    };
    let late = first_us(Fault::Late { ms: 300 });
    assert!((305_000..330_000).contains(&late[1].0), "{}", late[1].0);
    let joined = first_us(Fault::Join { ms: 100 });
    assert_eq!(joined.iter().map(|(at_us, _)| at_us % 100_000).max(), Some(0));
    assert_eq!(samples(&joined[4].1).len(), 8);
    let split = first_us(Fault::Split { gap_ms: 5 });
    assert!(split.len() > 150, "{}", split.len());
    let all: Vec<u8> = split.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert_eq!(samples(&all).len(), 79);
}

#[test]
fn garbage_floods_and_a_mute_device_is_mute() {
    let [before, during, after] = board_under(Fault::Garbage { bytes_per_s: 20_000 });
    assert!((22_000..24_000).contains(&during.len()) && after.len().abs_diff(before.len()) < 300, "{}", during.len());
    let [_, during, after] = board_under(Fault::Silent);
    assert!(during.len() <= 38, "what was on the line still comes");
    assert!(samples(&after).len() >= 79);
}

#[test]
fn a_host_with_other_settings_reads_something_else() {
    let fault = Fault::HostLine { baud: Some(57_600), data_bits: None, parity: None };
    let [before, during, after] = board_under(fault);
    assert!(samples(&during).len() <= 1 && during.len() > before.len() / 4);
    assert!(samples(&after).len() >= 78, "a garbled frame without an end takes the next one with it");
    let mut hardware = hardware();
    let scale = &mut hardware.indicators[0];
    (scale.data_bits, scale.parity) = (7, Parity::Even);
    let mut rig = Rig::new(&hardware, 1);
    run(&mut rig, SCALE, 3_000_000);
    let ask = |rig: &mut Rig| {
        rig.receive(SCALE, b"SI\r\n");
        run(rig, SCALE, rig.world().now_us() + 200_000)
    };
    assert!(ask(&mut rig).starts_with(b"S S "));
    rig.set_host_line(SCALE, LineFormat { data_bits: 8, parity: Parity::None, ..rig.ports()[SCALE].format });
    // What is sent 8N1 has 0 for the parity bit: `S` and `I` have an even and an odd number of ones, so the line is refused.
    assert_eq!(ask(&mut rig), b"\xC5\xD4\x8D\x0A", "ET CR LF with the parity in bit 7");
}

#[test]
fn frozen_counts_and_a_frozen_frame() {
    let [_, during, after] = board_under(Fault::FreezeCounts);
    let frozen = samples(&during);
    assert!(frozen[2..].iter().all(|frame| counts(frame) == counts(&frozen[1])));
    assert_ne!(frozen[2][2..8], frozen[3][2..8], "sequence and time go on");
    assert_ne!(counts(&samples(&after)[2]), counts(&samples(&after)[3]));
    let [_, during, _] = board_under(Fault::FreezeFrame);
    let frozen = samples(&during);
    assert!(frozen.len() >= 79 && frozen[2..].iter().all(|frame| *frame == frozen[1]));
}

#[test]
fn one_cell_fails_in_its_own_way() {
    let [_, during, _] = board_under(Fault::DeadCell { channel: 2 });
    let frame = &samples(&during)[40];
    assert!(counts(frame)[2].abs() < 20 && counts(frame)[1] > 50_000, "{:?}", counts(frame));
    let [_, during, _] = board_under(Fault::OpenCell { channel: 0 });
    let frame = &samples(&during)[40];
    assert_eq!((counts(frame)[0], frame[26]), (8_388_607, 0b1_0011));
    let [_, during, _] = board_under(Fault::StuckCell { channel: 1 });
    let [a, b] = [20, 50].map(|at| counts(&samples(&during)[at]));
    assert!(a[1] == b[1] && a[0] != b[0]);
    let [_, during, _] = board_under(Fault::TimedOutCell { channel: 3 });
    assert_eq!(samples(&during)[40][26..30], [1, 1, 1, 0b1001]);
    let [_, during, after] = board_under(Fault::SwapCells { channels: [0, 1] });
    let mean = |bytes: &[u8], channel: usize| {
        let frames = samples(bytes);
        frames.iter().skip(2).map(|frame| f64::from(counts(frame)[channel])).sum::<f64>() / (frames.len() - 2) as f64
    };
    assert!((mean(&after, 0) - mean(&during, 1)).abs() < 100.0 && (mean(&after, 0) - mean(&after, 1)).abs() > 250.0);
}

#[test]
fn bursts_saturation_brown_out_and_drift() {
    let mut rig = rig();
    let still = |rig: &mut Rig, until_us: u64| samples(&run(rig, BOARD, until_us));
    still(&mut rig, 1_000_000);
    rig.plant(BOARD, Fault::Spikes { per_s: 8.0, grams: 500.0, channel: None }, 1_000_000, Some(6_000_000)).unwrap();
    let spiked = still(&mut rig, 6_000_000);
    let far = |frame: &&Vec<u8>| counts(frame).iter().all(|count| (count - 8_071).abs() > 15_000);
    assert!((20..=60).contains(&spiked.iter().filter(far).count()), "{}", spiked.iter().filter(far).count());
    rig.plant(BOARD, Fault::Saturate { low: true, channel: Some(1) }, 6_000_000, Some(7_000_000)).unwrap();
    let saturated = still(&mut rig, 7_000_000);
    assert_eq!((counts(&saturated[40])[1], saturated[40][27]), (-8_388_608, 0b101));
    rig.plant(BOARD, Fault::BrownOut { ratio: 0.8, told: true }, 7_000_000, Some(8_000_000)).unwrap();
    let sunk = still(&mut rig, 8_000_000);
    assert!((counts(&sunk[40])[0] - 6568).abs() < 100 && sunk[40][9] & 2 == 0);
    rig.plant(BOARD, Fault::ZeroDrift { g_per_min: 60.0, channel: Some(0) }, 8_000_000, Some(18_000_000)).unwrap();
    let drifted = still(&mut rig, 17_999_000);
    assert!((counts(&drifted[drifted.len() - 1])[0] - 8210 - 420).abs() < 100, "ten seconds, ten grams, 420 counts");
}

#[test]
fn a_device_boots_jumps_and_is_another_one() {
    let [_, during, _] = board_under(Fault::Reboot);
    assert_eq!(frames(&during)[0][..8], [1, 2, 0, 0, 0, 0, 0, 0], "what was under way is lost");
    let [before, during, after] = board_under(Fault::ClockJump { ms: 5000 });
    let last_us = stamp_us(&samples(&before)[78]);
    assert!(stamp_us(&samples(&during)[1]) - last_us > 5_000_000);
    assert!(stamp_us(&samples(&after)[0]) - last_us > 5_900_000, "a jump is not taken back");
    let [_, during, after] = board_under(Fault::ClockDrift { ppm: 50_000.0 });
    assert_eq!((samples(&during).len(), samples(&after).len()), (84, 80));
    let [_, during, after] = board_under(Fault::OtherDevice { serial_number: "LCB-000999".into() });
    let serial = |bytes: &[u8]| {
        let info = frames(bytes).into_iter().find(|frame| frame[1] == 2).unwrap();
        String::from_utf8(info[9..19].to_vec()).unwrap()
    };
    assert_eq!((serial(&during).as_str(), serial(&after).as_str()), ("LCB-000999", "LCB-000101"));
    let [_, during, after] = board_under(Fault::Unplug);
    assert!(samples(&during).len() <= 1 && frames(&after)[0][1] == 2);
}

#[test]
fn the_frame_and_the_floor_carry_a_part() {
    let grams = |fault: Fault| {
        let mut rig = rig();
        rig.world_mut().set_load(weight(8000.0, [0.0, 0.0]));
        rig.plant(BOARD, fault, 0, None).unwrap();
        let frames = samples(&run(&mut rig, BOARD, 4_000_000));
        let cells = &hw::tests::plate().boards[0].cells;
        let counts = counts(&frames[frames.len() - 1]);
        counts
            .iter()
            .zip(cells)
            .map(|(count, cell)| f64::from(count - cell.zero_counts) / cell.counts_per_g)
            .sum::<f64>()
    };
    let left_g = grams(Fault::FrameTouches { share: 0.25, at_mm: [100.0, 0.0] });
    assert!((left_g - 6000.0).abs() < 20.0, "{left_g}");
    assert!((grams(Fault::HalfOn { edge: Edge::Left }) - 8000.0).abs() < 20.0, "no container, no wheels");
}

#[test]
fn mended_is_mended_and_nonsense_is_refused() {
    let mut rig = rig();
    rig.plant(BOARD, Fault::Unplug, 100_000, None).unwrap();
    rig.plant(BOARD, Fault::FrameTouches { share: 0.5, at_mm: [0.0, 0.0] }, 100_000, None).unwrap();
    rig.plant(BOARD, Fault::Silent, 900_000, None).unwrap();
    rig.advance_to(200_000);
    assert!(!rig.plugged(BOARD));
    rig.mend(BOARD);
    assert!(rig.plugged(BOARD) && rig.ports()[BOARD].faults().is_empty());
    assert!(samples(&run(&mut rig, BOARD, 2_200_000)).len() >= 158);
    for fault in [
        Fault::LoseBytes { rate: 1.5 },
        Fault::DeadCell { channel: 4 },
        Fault::SwapCells { channels: [0, 4] },
        Fault::Join { ms: 0 },
    ] {
        assert!(rig.plant(BOARD, fault.clone(), 0, None).is_err(), "{fault:?}");
    }
    assert!(rig.plant(7, Fault::Silent, 0, None).is_err());
}
