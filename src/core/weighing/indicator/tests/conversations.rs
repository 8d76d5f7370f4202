//! MT-SICS, the scales of one question, streams; and noise on all of them.

use super::*;
use crate::weighing::link::LinkState;
use proptest::prelude::*;

const SICS: &[(&[u8], &[u8])] = &[
    (b"@\r\n", b"I4 A \"B021\"\r\n"),
    (b"I4\r\n", b"I4 A \"B021\"\r\n"),
    (b"TA\r\n", b"TA A      0.000 kg\r\n"),
    (b"SI\r\n", b"S S     12.345 kg\r\n"),
];

fn sics_with_serial() -> IndicatorConfig {
    IndicatorConfig { serial_number: Some("B021".to_owned()), ..config(Protocol::MtSics) }
}

#[test]
fn a_sics_scale_says_who_it_is_before_it_is_weighed_with() {
    let mut bench = Bench::new(sics_with_serial(), table(30, SICS));
    bench.run(850);
    let asked: [&[u8]; 4] = [b"@\r\n", b"TA\r\n", b"SI\r\n", b"SI\r\n"];
    assert_eq!(bench.requests(), asked);
    // Opened at 1 s; deaf for 0.1 s; a question every 0.2 s: SI at 1.5 s and 1.7 s. Each answer arrives 30 ms later, and its 19
    // bytes took 19 ms.
    let weight =
        |us| IndicatorEvent::Weight { at: Mono::from_us(us), mass: Mass::from_mg(12_345_000), stable: Some(true) };
    assert_eq!(bench.events(), [IndicatorEvent::Identified, weight(1_511_000), weight(1_711_000)]);
    assert_eq!(bench.indicator.state(), &LinkState::Identified);
    assert_eq!(bench.indicator.counters().samples, 2);
}

#[test]
fn another_scale_is_never_weighed_with_until_it_is_exchanged() {
    let mut stranger = true;
    let scale: Scale = Box::new(move |request| {
        let mut known = table(20, SICS)(request);
        if stranger && request == b"@\r\n" {
            known[0].1 = b"I4 A \"B999\"\r\n".to_vec();
            stranger = false;
        }
        known
    });
    let mut bench = Bench::new(sics_with_serial(), scale);
    bench.run(300);
    assert_eq!(bench.events(), [IndicatorEvent::WrongInstrument { found: "B999".to_owned() }]);
    assert!(bench.requests().iter().all(|request| request != b"SI\r\n"));
    // The next I4 is answered by the right one.
    bench.run(1_500);
    let events = bench.events();
    assert_eq!(events[0], IndicatorEvent::Identified);
    assert!(matches!(events[1], IndicatorEvent::Weight { .. }));
}

#[test]
fn a_scale_that_cannot_say_who_it_is_is_good_only_where_nobody_asks() {
    const LEVEL_0: &[(&[u8], &[u8])] =
        &[(b"@\r\n", b"ES\r\n"), (b"I4\r\n", b"ES\r\n"), (b"TA\r\n", b"ES\r\n"), (b"SI\r\n", b"S D      0.300 kg\r\n")];
    let mut bench = Bench::new(config(Protocol::MtSics), table(20, LEVEL_0));
    bench.run(20_000);
    let events = bench.events();
    assert_eq!(events[0], IndicatorEvent::Identified);
    assert!(matches!(events[1], IndicatorEvent::Weight { stable: Some(false), .. }));
    let tares = bench.requests().iter().filter(|request| *request == b"TA\r\n").count();
    assert_eq!(tares, 3, "after three complaints it is not asked for its tare any more");
    let mut bench = Bench::new(sics_with_serial(), table(20, LEVEL_0));
    bench.run(20_000);
    assert_eq!(bench.grams(), [0.0; 0]);
    assert_eq!(bench.indicator.state(), &LinkState::Identifying);
}

/// A scale whose weights count its answers, so that each tells which question it belongs to; every fifth answer is late by
/// more than the response time allows.
fn late_scale(frame: fn(u32) -> Vec<u8>, request: &'static [u8], late_ms: u64) -> Scale {
    let mut asked = 0;
    Box::new(move |bytes| {
        if bytes != request {
            return table(20, SICS)(bytes);
        }
        asked += 1;
        vec![(if asked % 5 == 0 { late_ms } else { 20 }, frame(asked))]
    })
}

fn sics_frame(n: u32) -> Vec<u8> {
    format!("S S {:10.3} kg\r\n", f64::from(n) / 1000.0).into_bytes()
}

fn toledo_frame(n: u32) -> Vec<u8> {
    format!("\x02{:06.3}\r", f64::from(n) / 1000.0).into_bytes()
}

#[test]
fn a_late_answer_belongs_to_its_own_question_and_to_no_other() {
    let cases = [
        (Protocol::MtSics, sics_frame as fn(u32) -> Vec<u8>, &b"SI\r\n"[..]),
        (Protocol::Toledo8217, toledo_frame, b"W"),
    ];
    for (protocol, frame, request) in cases {
        for late_ms in [510, 650, 720, 900, 1_150] {
            let mut bench = Bench::new(config(protocol), late_scale(frame, request, late_ms));
            bench.run(30_000);
            let asked: Vec<Mono> = bench.sent.iter().filter(|(_, bytes)| bytes == request).map(|(at, _)| *at).collect();
            let mut told = 0;
            for (when, event) in &bench.events {
                let IndicatorEvent::Weight { mass, .. } = event else { continue };
                told += 1;
                // The weight in grams is the number of its question.
                let question = asked[mass.g() as usize - 1];
                assert!(
                    when.ms_since(question) <= 500,
                    "{protocol:?} {late_ms}: {mass} told at {when:?}, asked at {question:?}"
                );
            }
            assert!(told > 30, "{protocol:?} {late_ms}: only {told} weights");
            assert!(bench.indicator.counters().missing > 3);
        }
    }
}

#[test]
fn a_late_answer_of_an_earlier_command_is_dropped() {
    // The tare's answer comes while a weight is waited for, and says 1 kg: it is no weight.
    let scale: Scale = Box::new(|request| match request {
        b"TA\r\n" => vec![(510, b"TA A      1.000 kg\r\n".to_vec())],
        b"SI\r\n" => vec![(300, b"S S     12.345 kg\r\n".to_vec())],
        other => table(20, SICS)(other),
    });
    let mut bench = Bench::new(config(Protocol::MtSics), scale);
    bench.run(4_000);
    let grams = bench.grams();
    assert!(grams.len() > 5 && grams.iter().all(|g| *g == 12_345.0), "{grams:?}");
}

#[test]
fn a_silent_scale_is_told_once_and_asked_on() {
    let mut answers = 0;
    let scale: Scale = Box::new(move |request| {
        answers += 1;
        if (6..=20).contains(&answers) { Vec::new() } else { table(20, SICS)(request) }
    });
    let mut bench = Bench::new(sics_with_serial(), scale);
    bench.run(1_300);
    let events = bench.events();
    assert_eq!(events.iter().filter(|event| matches!(event, IndicatorEvent::Weight { .. })).count(), 3);
    // The question at 2.1 s and the one after it, 0.5 s and 0.5 s without an answer.
    bench.run(900);
    assert_eq!(bench.events(), [IndicatorEvent::Silent { at: Mono::from_us(3_100_000) }]);
    assert_eq!(bench.indicator.state(), &LinkState::Identifying);
    bench.run(15_000);
    let events = bench.events();
    assert_eq!(events[0], IndicatorEvent::Identified, "it says again who it is");
    assert!(matches!(events[1], IndicatorEvent::Weight { .. }));
    assert!(!events.iter().any(|event| matches!(event, IndicatorEvent::Silent { .. })));
}

#[test]
fn a_scale_that_is_back_is_believed_after_one_answer_that_may_be_an_old_one() {
    let mut asked = 0;
    let scale: Scale = Box::new(move |_| {
        asked += 1;
        if (4..=9).contains(&asked) { Vec::new() } else { vec![(20, toledo_frame(asked))] }
    });
    let mut bench = Bench::new(config(Protocol::Toledo8217), scale);
    bench.run(10_000);
    // The tenth answer is not believed, for it might be the fourth's; that none follows it shows that those are lost.
    assert_eq!(bench.grams()[..5], [1.0, 2.0, 3.0, 11.0, 12.0]);
}

#[test]
fn a_scale_that_answers_and_never_weighs_is_silent_too() {
    let mut bench = Bench::new(config(Protocol::Nci), table(20, &[(b"W\r", b"\n?\r\x03")]));
    bench.run(10_000);
    // Opened at 1 s; 3 s without news.
    assert_eq!(bench.events(), [IndicatorEvent::Silent { at: Mono::from_us(4_000_000) }]);
}

#[test]
fn a_reboot_is_told_and_the_scale_identified_again() {
    let mut bench = Bench::new(sics_with_serial(), table(20, SICS));
    bench.run(1_050).events();
    bench.arrives(b"I4 A \"B021\"\r\n");
    assert_eq!(bench.events(), [IndicatorEvent::Rebooted { at: Mono::from_us(2_050_000) }]);
    assert_eq!(bench.indicator.counters().reboots, 1);
    bench.requests();
    bench.run(300);
    assert_eq!(bench.requests()[0], b"TA\r\n", "its tare may have gone");
    bench.arrives(b"I4 A \"B7\"\r\n").run(2_000);
    let events = bench.events();
    assert!(events.contains(&IndicatorEvent::WrongInstrument { found: "B7".to_owned() }));
}

#[test]
fn a_tared_scale_weighs_nothing_that_is_used() {
    let scale: Scale = Box::new(|request| match request {
        b"TA\r\n" => vec![(20, b"TA A      0.500 kg\r\n".to_vec())],
        other => table(20, SICS)(other),
    });
    let mut bench = Bench::new(config(Protocol::MtSics), scale);
    bench.run(2_000);
    let events = bench.events();
    assert!(events.len() > 3);
    assert!(events[1..].iter().all(|event| matches!(event, IndicatorEvent::NetWeight { .. })), "{events:?}");
    let net: &[(&[u8], &[u8])] = &[(b"W", b"\x0201.234N\r")];
    let mut bench = Bench::new(config(Protocol::Toledo8217), table(20, net));
    bench.run(400);
    assert!(matches!(bench.events()[..], [IndicatorEvent::Identified, IndicatorEvent::NetWeight { .. }, ..]));
    let mut bench =
        Bench::new(IndicatorConfig { expects: WeightKind::Net, ..config(Protocol::Toledo8217) }, table(20, net));
    bench.run(200);
    assert_eq!(bench.grams(), [1_234.0]);
}

/// `TA` that loses its second byte tares. What then comes is not used, the tare is cleared, and the scale weighs again.
#[test]
fn a_question_that_became_a_command_on_the_way_is_made_good() {
    let (mut tare_kg, mut asked) = (0.0, 0);
    let scale: Scale = Box::new(move |request| {
        let weight = |kg: f64| format!("S S {kg:>10.3} kg\r\n").into_bytes();
        let reply = match request {
            b"TA\r\n" => {
                asked += 1;
                if asked == 2 {
                    tare_kg = 1.250;
                    format!("T S {tare_kg:>10.3} kg\r\n").into_bytes()
                } else {
                    format!("TA A {tare_kg:>10.3} kg\r\n").into_bytes()
                }
            }
            b"SI\r\n" => weight(1.250 - tare_kg),
            b"@\r\n" => {
                tare_kg = 0.0;
                b"I4 A \"B021\"\r\n".to_vec()
            }
            other => return table(20, SICS)(other),
        };
        vec![(20, reply)]
    });
    let mut bench = Bench::new(sics_with_serial(), scale);
    bench.run(12_000);
    let events = bench.events();
    assert!(events.iter().any(|event| matches!(event, IndicatorEvent::NetWeight { .. })), "{events:?}");
    let after = events.iter().rposition(|event| matches!(event, IndicatorEvent::NetWeight { .. })).unwrap();
    let weights = events[after..].iter().filter(|event| matches!(event, IndicatorEvent::Weight { .. })).count();
    assert!(weights > 10, "{weights} weights after the tare was cleared: {events:?}");
    assert!(!events.iter().any(|event| matches!(event, IndicatorEvent::Rebooted { .. })), "it did not start anew");
}

#[test]
fn reasons_and_limits_and_units() {
    let reasons = |reply: &'static [u8]| {
        let mut bench = Bench::new(config(Protocol::Toledo8217), Box::new(move |_| vec![(20, reply.to_vec())]));
        bench.run(200).reasons()
    };
    assert_eq!(reasons(b"\x02?A\r"), [Reason::Motion]);
    assert_eq!(reasons(b"\x02?B\r"), [Reason::Overload]);
    assert_eq!(reasons(b"\x02?E\r"), [Reason::Underload], "the graver of two");
    assert_eq!(reasons(b"\x02?P\r"), [Reason::NotFinished], "flags are no weight of zero");
    // 15 kg, nine divisions of 5 g, and a little.
    assert_eq!(reasons(b"\x0215.046\r"), [Reason::Overload]);
    let mut bench = Bench::new(config(Protocol::Nci), table(20, &[(b"W\r", b"\n02.494LB\r\nS00\r\x03")]));
    bench.run(200);
    assert!(matches!(bench.events()[..], [IndicatorEvent::Identified, IndicatorEvent::UnitMismatch { .. }]));
}

#[test]
fn wrong_line_settings_are_told_once() {
    // `02 30 31 2E 32 33 34 0D` at 7E1, read as 8N1.
    let damaged: &[(&[u8], &[u8])] = &[(b"W", b"\x82\x30\xb1\x2e\xb2\x33\xb4\x8d")];
    let mut bench = Bench::new(config(Protocol::Toledo8217), table(20, damaged));
    bench.run(20_000);
    let events = bench.events();
    let told = |wanted: fn(&IndicatorEvent) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(told(|event| matches!(event, IndicatorEvent::LineSettings { .. })), 1, "{events:?}");
    assert_eq!(told(|event| matches!(event, IndicatorEvent::Silent { .. })), 1);
    assert_eq!(events.len(), 2);
}

#[test]
fn bytes_from_before_the_opening_answer_nothing() {
    let mut bench = Bench::new(config(Protocol::Toledo8217), table(20, &[(b"W", b"\x0201.234\r")]));
    bench.arrives(b"\x0209.999\r");
    bench.run(50).arrives(b"\x0208.888\r");
    bench.run(100);
    bench.arrives(b"\x0207.777\r");
    bench.run(1_000);
    assert!(bench.grams().iter().all(|g| *g == 1_234.0));
}

#[test]
fn the_other_scales_of_one_question() {
    let weighs = |protocol, rows: &'static [(&'static [u8], &'static [u8])]| {
        let options = WireOptions { unit: Some(MassUnit::Kg), decimals: Some(3), ..WireOptions::default() };
        let grams_per_digit = Some(0.01);
        let mut bench = Bench::new(IndicatorConfig { options, grams_per_digit, ..config(protocol) }, table(20, rows));
        bench.run(200).grams()
    };
    assert_eq!(weighs(Protocol::Nci, &[(b"W\r", b"\n02.494KG\r\nS00\r\x03")]), [2_494.0]);
    let cas: &[(&[u8], &[u8])] = &[(b"\x05", b"\x06"), (b"\x11", b"\x01\x02S 01.234kge\x03\x04")];
    assert_eq!(weighs(Protocol::Cas, cas), [1_234.0]);
    let laumas: &[(&[u8], &[u8])] =
        &[(b"\x01\x03\x00\x06\x00\x05\x65\xc8", b"\x01\x03\x0a\x08\x00\x00\x00\x30\xd4\x00\x00\x30\xd4\x84\xe1")];
    assert_eq!(weighs(Protocol::ModbusLaumas, laumas), [12_500.0]);
    // 100 000 digits of a hundredth of a gram.
    assert_eq!(weighs(Protocol::HbmAed, &[(b"MSV?;", b"\x01\x86\xa0\x0c\r\n")]), [1_000.0]);
}

#[test]
fn a_stream_is_heard_and_of_what_has_queued_up_only_the_last_is_told() {
    let line = |grams: u32| format!("ST,+{:08.3} kg\r\n", f64::from(grams) / 1000.0).into_bytes();
    let mut bench = Bench::new(config(Protocol::And), Box::new(|_| Vec::new()));
    bench.run(150).arrives(&line(1_000));
    assert_eq!(bench.events()[0], IndicatorEvent::Identified);
    bench.run(100).arrives(&[line(1_100), line(1_200), line(1_300)].concat());
    assert_eq!(bench.grams(), [1_300.0]);
    assert!(bench.requests().is_empty());
    bench.run(5_000);
    assert_eq!(bench.events(), [IndicatorEvent::Silent { at: Mono::from_us(4_250_000) }]);
    bench.arrives(&line(1_400));
    assert_eq!(bench.events()[0], IndicatorEvent::Identified);
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    assert_eq!(Indicator::new(config(Protocol::Lcb)).err(), Some(BadIndicator::Board));
    for bytes_per_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let bad = IndicatorConfig { bytes_per_s, ..config(Protocol::Nci) };
        assert_eq!(Indicator::new(bad).err(), Some(BadIndicator::Timing));
    }
    let bad = IndicatorConfig { response_ms: 0, ..config(Protocol::Nci) };
    assert_eq!(Indicator::new(bad).err(), Some(BadIndicator::Timing));
}

/// Protocols with a check over each frame that noise cannot pass.
const CHECKED: [Protocol; 2] = [Protocol::ModbusLaumas, Protocol::ModbusFlintec];

proptest! {
    #[test]
    fn no_noise_weighs_panics_or_grows(
        protocol in 1..Protocol::ALL.len(),
        chunks in proptest::collection::vec((0_u64..400, proptest::collection::vec(any::<u8>(), 0..200)), 1..40),
    ) {
        let protocol = Protocol::ALL[protocol];
        let options = WireOptions { unit: Some(MassUnit::Kg), decimals: Some(3), ..WireOptions::default() };
        let mut bench = Bench::new(IndicatorConfig { options, ..config(protocol) }, Box::new(|_| Vec::new()));
        for (wait_ms, bytes) in chunks {
            bench.run(wait_ms).arrives(&bytes);
            prop_assert!(bench.indicator.held() <= 8);
        }
        let grams = bench.grams();
        prop_assert!(!CHECKED.contains(&protocol) || grams.is_empty(), "{:?}", grams);
    }

    /// Bytes that text protocols are made of, so that noise gets further into them.
    #[test]
    fn no_likely_bytes_panic_or_weigh_what_nobody_asked_for(
        protocol in 1..Protocol::ALL.len(),
        picks in proptest::collection::vec(0_usize..24, 0..400),
    ) {
        const LIKELY: [&[u8]; 24] = [
            b"\x02", b"\x03", b"\r", b"\n", b"\r\n", b"\x1b", b"\x06", b"\x15", b"S S ", b"S D ", b" kg", b"01.234", b"00", b"S00",
            b"02\x1b3\x1b01250\x1b000299\x1b000374", b"09\x1b21", b"11\x1b2A7", b"?A", b"N", b"ST,", b"+0001.234 kg", b"I4 A \"B021\"",
            b"TA A 0.5 kg", b"\x01",
        ];
        let protocol = Protocol::ALL[protocol];
        // Nothing is asked while it is deaf, and a closed scale hears nothing.
        let mut deaf = Bench::new(config(protocol), Box::new(|_| Vec::new()));
        let bytes: Vec<u8> = picks.iter().flat_map(|pick| LIKELY[*pick].to_vec()).collect();
        deaf.arrives(&bytes);
        prop_assert_eq!(deaf.events(), []);
        let mut bench = Bench::new(config(protocol), Box::new(|_| Vec::new()));
        for chunk in bytes.chunks(23) {
            bench.run(60).arrives(chunk);
            prop_assert!(bench.indicator.held() <= 8);
        }
        bench.indicator.closed("unplugged".to_owned());
        bench.events();
        bench.arrives(&bytes);
        prop_assert_eq!(bench.events(), []);
        prop_assert_eq!(bench.indicator.poll_timeout(), None);
    }
}
