//! Checkout-Dialog, step by step.

use super::*;
use crate::weighing::wire::dialog::Polynomial;

const PRICE: &[u8] = b"\x04\x0201\x1b000299\x1b\x03";
const RESULT: &[u8] = b"\x04\x05";
const WHY: &[u8] = b"\x04\x0208\x03";
const END: &[u8] = b"\x04";
const ACK: &[u8] = b"\x06";
const NAK: &[u8] = b"\x15";

fn record_02(grams: u32) -> Vec<u8> {
    format!("\x0202\x1b3\x1b{grams:05}\x1b000299\x1b000374\x03").into_bytes()
}

fn code(code: &str) -> Vec<u8> {
    format!("\x0209\x1b{code}\x03").into_bytes()
}

/// A scale that acknowledges each price and then does, price after price, what a list says; the last entry for ever.
/// An entry of two digits is NAK with that code, one of five a weight in grams, `lost` an answer that does not come,
/// `broken` a record with its unit destroyed.
fn scale(list: &'static [&'static str]) -> Scale {
    let mut done = 0;
    let mut pending = "";
    Box::new(move |request| {
        let reply = match request {
            PRICE => ACK.to_vec(),
            RESULT => {
                pending = list[done.min(list.len() - 1)];
                done += 1;
                match pending {
                    "lost" => return Vec::new(),
                    "broken" => record_02(9_999).iter().map(|b| if *b == b'3' { b'8' } else { *b }).collect(),
                    grams if grams.len() == 5 => record_02(grams.parse().unwrap()),
                    _ => NAK.to_vec(),
                }
            }
            WHY => code(pending),
            _ => return Vec::new(),
        };
        vec![(10, reply)]
    })
}

/// What is told: grams, or the reason.
fn told(bench: &mut Bench) -> Vec<String> {
    let events = bench.events().into_iter();
    events
        .filter_map(|event| match event {
            IndicatorEvent::Weight { mass, .. } => Some(format!("{}", mass.g())),
            IndicatorEvent::Unavailable { reason, .. } => Some(format!("{reason:?}")),
            IndicatorEvent::ChallengeFailed { .. } => Some("ChallengeFailed".to_owned()),
            _ => None,
        })
        .collect()
}

fn told_by(list: &'static [&'static str], ms: u64) -> Vec<String> {
    told(Bench::new(config(Protocol::Dialog06), scale(list)).run(ms))
}

#[test]
fn price_result_weight_and_every_answer_is_closed() {
    let mut bench = Bench::new(config(Protocol::Dialog04), scale(&["01250"]));
    bench.run(250);
    assert_eq!(bench.requests(), [PRICE, END, RESULT, END]);
    // Opened at 1 s, price at 1.1 s, result asked for at 1.11 s, answered 10 ms later; 26 bytes took 26 ms.
    let at = Mono::from_us(1_094_000);
    let weight = IndicatorEvent::Weight { at, mass: Mass::from_mg(1_250_000), stable: Some(true) };
    assert_eq!(bench.events(), [IndicatorEvent::Identified, weight]);
}

#[test]
fn motion_asks_for_the_result_again_and_all_else_begins_anew() {
    let mut bench = Bench::new(config(Protocol::Dialog06), scale(&["20", "22", "01250", "32", "01300"]));
    bench.run(1_050);
    let asked = bench.requests();
    let asked: Vec<&[u8]> = asked.iter().map(Vec::as_slice).filter(|bytes| *bytes != END).collect();
    assert_eq!(asked, [PRICE, RESULT, WHY, RESULT, WHY, RESULT, PRICE, RESULT, WHY, PRICE, RESULT]);
    assert_eq!(told(&mut bench), ["Motion", "NotFinished", "1250", "Overload", "1300"]);
}

#[test]
fn every_code_says_why() {
    let reasons = ["Motion", "NotFinished", "BelowMinimum", "Underload", "Overload", "NotFinished", "NotFinished"];
    let all = told_by(&["20", "22", "30", "31", "32", "00", "02", "01", "11", "13"], 2_050);
    assert_eq!(all, [&reasons[..], &["Device"; 3]].concat());
}

#[test]
fn nothing_has_moved_keeps_the_last_weight_and_only_that_does() {
    assert_eq!(told_by(&["01250", "21", "21", "01300", "21"], 1_050), ["1250", "1250", "1250", "1300", "1300"]);
    assert_eq!(told_by(&["21"], 250), ["NoMotionSinceLast"], "nothing was told before");
    let once = ["1250", "1250", "Motion", "NoMotionSinceLast", "NoMotionSinceLast"];
    assert_eq!(told_by(&["01250", "21", "20", "21"], 1_050), once);
    // A record that was destroyed may have been the weight of another load.
    assert_eq!(told_by(&["01250", "broken", "21"], 650), ["1250", "NoMotionSinceLast"]);
    assert_eq!(told_by(&["01250", "lost", "21"], 1_250)[..2], ["1250", "NoMotionSinceLast"]);
    assert_eq!(told_by(&["01250", "32", "21"], 650), ["1250", "Overload", "NoMotionSinceLast"]);
}

#[test]
fn each_told_again_has_the_time_at_which_the_scale_said_so() {
    let mut bench = Bench::new(config(Protocol::Dialog06), scale(&["01250", "21"]));
    bench.run(450);
    let times: Vec<u64> = bench
        .events()
        .into_iter()
        .filter_map(|event| if let IndicatorEvent::Weight { at, .. } = event { Some(at.us()) } else { None })
        .collect();
    // The second poll begins at 1.3 s; price, result and why each take 10 ms; record 09 has 7 bytes.
    assert_eq!(times, [1_094_000, 1_323_000]);
}

#[test]
fn a_stray_record_between_two_answers_ends_what_was_unmoved() {
    let mut bench = Bench::new(config(Protocol::Dialog06), scale(&["01250", "21"]));
    bench.run(250);
    bench.arrives(&record_02(5_000));
    bench.run(200);
    assert_eq!(told(&mut bench), ["1250", "NoMotionSinceLast"]);
}

const POLYNOMIAL: u32 = 0x1_8bb7;

/// What a scale that knows the polynomial finds in record 10, by CRC-16 with that polynomial as other people compute it.
fn passes(record: &[u8], z: u8) -> bool {
    const ALGORITHM: crc::Algorithm<u16> = crc::Algorithm { poly: 0x8bb7, ..crc::CRC_16_XMODEM };
    let text = std::str::from_utf8(&record[5..13]).unwrap();
    let words = u32::from_str_radix(text, 16).unwrap();
    let cs = ((words >> 16) as u16).rotate_right(u32::from(z >> 4));
    let kw = (words as u16).rotate_left(u32::from(z & 15));
    crc::Crc::<u16>::new(&ALGORITHM).checksum(&cs.to_be_bytes()) == kw
}

/// A scale that challenges its first price, then weighs only for who has passed.
fn challenger() -> Scale {
    let (mut passed, mut answered) = (false, None);
    Box::new(move |request| {
        let reply = match request {
            PRICE if passed => ACK.to_vec(),
            PRICE => b"\x0211\x1b247\x03".to_vec(),
            RESULT if let Some(right) = answered.take() => {
                passed = right;
                format!("\x0211\x1b{}\x03", u8::from(right)).into_bytes()
            }
            RESULT => record_02(1_250),
            record if record.starts_with(b"\x04\x0210\x1b") => {
                answered = Some(passes(record, 0x47));
                ACK.to_vec()
            }
            _ => return Vec::new(),
        };
        vec![(10, reply)]
    })
}

#[test]
fn a_challenge_is_answered_by_who_knows_the_polynomial() {
    let with = |polynomial| IndicatorConfig { polynomial, ..config(Protocol::Dialog06) };
    let mut bench = Bench::new(with(Some(Polynomial::new(POLYNOMIAL))), challenger());
    bench.run(250);
    assert_eq!(told(&mut bench), ["1250"], "price, challenge, checksums, passed, and the same price again");
    let sent = bench.requests();
    let asked: Vec<&[u8]> = sent.iter().map(Vec::as_slice).filter(|bytes| *bytes != END).collect();
    assert_eq!(asked.len(), 5);
    assert_eq!([asked[0], asked[2], asked[3], asked[4]], [PRICE, RESULT, PRICE, RESULT]);
    assert_eq!(sent.iter().filter(|bytes| *bytes == END).count(), 5, "every answer is closed");

    for polynomial in [None, Some(Polynomial::new(0x1021))] {
        let mut bench = Bench::new(with(polynomial), challenger());
        bench.run(650);
        let told = told(&mut bench);
        assert!(told.len() >= 3 && told.iter().all(|what| what == "ChallengeFailed"), "{told:?}");
    }
}

#[test]
fn a_price_without_answer_is_reset_and_sent_again() {
    let mut first = true;
    let mut after = scale(&["01250"]);
    let forgetful: Scale =
        Box::new(move |request| if std::mem::take(&mut first) { Vec::new() } else { after(request) });
    let mut bench = Bench::new(config(Protocol::Dialog02), forgetful);
    bench.run(2_000);
    assert_eq!(bench.requests()[..3], [PRICE, END, PRICE]);
    assert_eq!(told(&mut bench)[0], "1250");
}

#[test]
fn an_acknowledgement_that_comes_late_does_not_answer_the_next_price() {
    // The first ACK comes while the second price waits for its own; the weights tell which price they were for.
    let mut prices = 0;
    let mut results = 0;
    let slow: Scale = Box::new(move |request| match request {
        PRICE => {
            prices += 1;
            vec![(if prices == 1 { 600 } else { 10 }, ACK.to_vec())]
        }
        RESULT => {
            results += 1;
            vec![(10, record_02(1_000 * prices + results))]
        }
        _ => Vec::new(),
    });
    let mut bench = Bench::new(config(Protocol::Dialog06), slow);
    bench.run(1_300);
    assert_eq!(told(&mut bench)[0], "2001", "the first result asked for was the second price's");
}
