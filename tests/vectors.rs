//! Every decoder against the shared vectors: whole, byte by byte, split at every point, cut at every point, behind garbage, two
//! joined; and every request against the bytes that scales understand.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use augenmass_core::weighing::wire::{
    Decoder, ErrorKind, Event, Protocol, Reason, WeightKind, WireOptions, cas, dialog, hbm_aed, modbus, mt_sics, nci,
    registers::RegisterMap, toledo_8217,
};
use serde_json::Value;

/// What the vectors call a protocol, and how it is to be put to the test.
struct Family {
    /// Its name in the vectors.
    name: &'static str,
    /// Its name here.
    protocol: Protocol,
    /// So many vectors from the scale there are at least.
    vectors: usize,
    /// Garbage directly before a frame that may cost no frame.
    garbage: &'static [&'static [u8]],
    /// So many bytes at a frame's end tell nothing: a frame cut there is whole.
    spare: usize,
}

/// Garbage before a protocol whose frames have a byte to begin with.
const MARKED: &[&[u8]] = &[&[0xff, 0x13, 0x37], b"garbage 12.34 kg", &[0x41; 500], &[0x80, 0x00, 0x7f]];
/// Garbage before a protocol of lines: what no line can hold, or lines of its own.
const LINES: &[&[u8]] =
    &[&[0xff, 0x13, 0xfe], b"garbage 12.34 kg\r\n", b"S S 100.0\r\n\x00", b"\r\n", b"\x80S S 1\x81"];

/// A protocol joins by a line here, its requests below, and where needed a key in [`check_key`].
const FAMILIES: &[Family] = &[
    Family {
        name: "LCB",
        protocol: Protocol::Lcb,
        vectors: 7,
        garbage: &[&[0xff, 0x13, 0x37, 0], &[0x41, 0, 0]],
        spare: 0,
    },
    Family { name: "MT-SICS", protocol: Protocol::MtSics, vectors: 19, garbage: LINES, spare: 0 },
    Family { name: "Dialog-06", protocol: Protocol::Dialog06, vectors: 16, garbage: MARKED, spare: 0 },
    Family { name: "Dialog-02/04", protocol: Protocol::Dialog04, vectors: 3, garbage: MARKED, spare: 0 },
    Family { name: "Dialog-02/04", protocol: Protocol::Dialog02, vectors: 3, garbage: MARKED, spare: 0 },
    Family { name: "Toledo-8217", protocol: Protocol::Toledo8217, vectors: 10, garbage: MARKED, spare: 0 },
    Family { name: "NCI-SCP-01", protocol: Protocol::Nci, vectors: 5, garbage: MARKED, spare: 0 },
    Family { name: "NCI-SCP-02", protocol: Protocol::Nci, vectors: 3, garbage: MARKED, spare: 0 },
    Family { name: "Modbus-LAUMAS", protocol: Protocol::ModbusLaumas, vectors: 5, garbage: MARKED, spare: 0 },
    Family { name: "Modbus-Flintec", protocol: Protocol::ModbusFlintec, vectors: 1, garbage: MARKED, spare: 0 },
    // Frames end with a checksum or without one: the last byte may not be missed.
    Family { name: "Toledo-Continuous", protocol: Protocol::ToledoContinuous, vectors: 4, garbage: MARKED, spare: 1 },
    Family { name: "CAS-AP1", protocol: Protocol::Cas, vectors: 5, garbage: MARKED, spare: 0 },
    Family { name: "AD-Standard", protocol: Protocol::And, vectors: 4, garbage: MARKED, spare: 0 },
    Family { name: "HBM-AED", protocol: Protocol::HbmAed, vectors: 2, garbage: MARKED, spare: 0 },
];

/// Vectors of faults, with the decoder that they happen to.
const FAULTS: &[(&str, Protocol)] = &[
    ("fault-01", Protocol::MtSics),
    ("fault-03", Protocol::MtSics),
    ("fault-03", Protocol::Dialog06),
    ("fault-03", Protocol::Toledo8217),
    ("fault-03", Protocol::Nci),
    ("fault-03", Protocol::ModbusLaumas),
    ("fault-03", Protocol::ModbusFlintec),
    ("fault-03", Protocol::ToledoContinuous),
    ("fault-03", Protocol::Cas),
    ("fault-03", Protocol::And),
    ("fault-03", Protocol::HbmAed),
    ("fault-04", Protocol::MtSics),
    ("fault-06", Protocol::Toledo8217),
    ("fault-06", Protocol::ToledoContinuous),
    ("fault-06", Protocol::Cas),
    ("fault-06", Protocol::And),
];

/// What makes the bytes of a vector to the scale.
type Request = fn() -> Vec<u8>;

/// The request that each vector to the scale shows.
const REQUESTS: &[(&str, Request)] = &[
    ("mt-sics-02", mt_sics::request_weight),
    ("mt-sics-03", mt_sics::request_stream),
    ("mt-sics-04", mt_sics::request_zero),
    ("mt-sics-07", mt_sics::request_tare_now),
    ("mt-sics-08", mt_sics::request_tare_value),
    ("mt-sics-09", mt_sics::request_tare_clear),
    ("mt-sics-10", || mt_sics::request_info(0)),
    ("mt-sics-11", || mt_sics::request_info(1)),
    ("mt-sics-13", || mt_sics::request_info(3)),
    ("mt-sics-14", mt_sics::request_serial_number),
    ("mt-sics-15", mt_sics::request_reset),
    ("dialog-06-01", || dialog::price(299)),
    ("dialog-06-02", || dialog::price_tare(299, 15)),
    ("dialog-06-07", dialog::request_result),
    ("dialog-06-10", dialog::request_status),
    ("dialog-06-25", || dialog::checksums([0x1234, 0xabcd])),
    ("dialog-02-04-01", || dialog::price(299)),
    ("dialog-02-04-02", dialog::request_result),
    ("toledo-8217-01", toledo_8217::request_weight),
    ("toledo-8217-02", toledo_8217::request_zero),
    ("toledo-8217-04", toledo_8217::request_tare_clear),
    ("toledo-8217-05", || toledo_8217::request_echo("hello")),
    ("nci-scp-01-01", nci::request_weight),
    ("nci-scp-01-02", nci::request_status),
    ("nci-scp-01-03", nci::request_zero),
    ("nci-scp-01-04", nci::request_high_resolution),
    ("modbus-flintec-01", || modbus::request(&RegisterMap::flintec(), 1)),
    ("cas-ap1-01", cas::request_attention),
    ("cas-ap1-03", cas::request_weight),
    ("hbm-aed-01", hbm_aed::request_value),
    ("hbm-aed-02", hbm_aed::request_stream),
    ("hbm-aed-05", || hbm_aed::select(1)),
    ("hbm-aed-06", || hbm_aed::choose(hbm_aed::Format::try_from(8).unwrap())),
];

/// One vector: its bytes and what a decoder must make of them.
struct Vector {
    id: String,
    family: String,
    from_scale: bool,
    bytes: Vec<u8>,
    expect: Value,
}

fn vectors() -> Vec<Vector> {
    let file: Value = serde_json::from_str(include_str!("vectors/scales.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let hex = |text: &str| text.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect();
    let list = file["vectors"].as_array().unwrap().iter();
    list.map(|v| Vector {
        id: text(&v["id"]),
        family: text(&v["protocol"]),
        from_scale: v["direction"] == "scale->host",
        bytes: hex(v["hex"].as_str().unwrap()),
        expect: v["expect"].clone(),
    })
    .collect()
}

/// Every protocol with each of its vectors from the scale.
fn cases() -> Vec<(&'static Family, Vec<Vector>)> {
    let of = |family: &Family| vectors().into_iter().filter(|v| v.family == family.name && v.from_scale).collect();
    FAMILIES.iter().map(|family| (family, of(family))).collect()
}

fn decoder(protocol: Protocol) -> Decoder {
    Decoder::new(protocol, &WireOptions::default())
}

fn decode<'a>(protocol: Protocol, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = decoder(protocol);
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.push(chunk, &mut |event| events.push(event));
    }
    decoder.pause(&mut |event| events.push(event));
    events
}

fn is_error(event: &Event) -> bool {
    matches!(event, Event::Error { .. })
}

/// Whether an event could be taken for a mass.
fn tells_mass(event: &Event) -> bool {
    matches!(event, Event::Weight { .. } | Event::Number { .. } | Event::Digits { .. } | Event::Sample { .. })
}

fn check(vector: &Vector, events: &[Event]) {
    let Value::Object(expect) = &vector.expect else { return };
    for (key, value) in expect {
        let found = check_key(key, value, vector, events);
        assert!(found, "{}: {key} is not {value} in {events:?}", vector.id);
    }
    let mass_expected =
        ["weight_g", "value", "digits", "gross", "seq", "accepted"].iter().any(|key| expect.contains_key(*key));
    assert!(mass_expected || !events.iter().any(tells_mass), "{}: a mass out of nothing: {events:?}", vector.id);
}

/// Whether what a vector says under one key is what was decoded.
fn check_key(key: &str, value: &Value, vector: &Vector, events: &[Event]) -> bool {
    let any = |fits: &dyn Fn(&Event) -> bool| events.iter().any(fits);
    match key {
        "error" => !any(&tells_mass) && error_fits(value.as_str().unwrap(), &vector.bytes, events),
        // Milligrams in five: the vectors round pounds to hundredths of a gram.
        "weight_g" => any(&|e| matches!(e, Event::Weight { mass, .. } if near(mass.g(), value, 0.005))),
        "tare_g" => any(&|e| matches!(e, Event::Tare { mass } if near(mass.g(), value, 0.0))),
        "value" => match vector.expect["unit"].as_str() {
            Some("lb") => any(&|e| matches!(e, Event::Weight { mass, .. } if near(mass.g() / 453.592_37, value, 1e-5))),
            Some("from-config") | None => any(
                &|e| matches!(e, Event::Number { value: v, unit: None, .. } if near(v.parse().unwrap(), value, 0.0)),
            ),
            Some(unit) => panic!("{}: {unit} has no check yet", vector.id),
        },
        // Read together with `value`.
        "unit" => true,
        "gross" | "net" if value.is_number() => any(
            &|e| matches!(e, Event::Number { value: v, kind, .. } if near(v.parse().unwrap(), value, 0.0) && (*kind == WeightKind::Net) == (key == "net")),
        ),
        "digits" => any(&|e| matches!(e, Event::Digits { digits, .. } if Value::from(*digits) == *value)),
        "status" => any(&|e| matches!(e, Event::Digits { status, .. } if Value::from(*status) == *value)),
        "stable" => any(&|e| stability(e) == value.as_bool()),
        "net" => any(&|e| match e {
            Event::Weight { kind, .. } => Some(*kind == WeightKind::Net) == value.as_bool(),
            Event::Status { net, .. } => *net == value.as_bool(),
            _ => false,
        }),
        "at_zero" | "center_of_zero" => {
            any(&|e| matches!(e, Event::Status { at_zero, .. } if *at_zero == value.as_bool()))
        }
        "ok" => any(&|e| matches!(e, Event::Ack | Event::Done { .. })),
        "code" => any(&|e| code_fits(value.as_str().unwrap(), e)),
        "challenge" => any(&|e| matches!(e, Event::Challenge { z } if z == value)),
        "serial" => any(&|e| matches!(e, Event::Identity { serial_number } if serial_number == value)),
        "commands" => {
            let texts: Vec<&String> = events
                .iter()
                .filter_map(|e| if let Event::Text { text, .. } = e { Some(text) } else { None })
                .collect();
            texts.iter().map(|t| Value::from(t.as_str())).collect::<Vec<_>>() == *value.as_array().unwrap()
        }
        "seq" => *sequence_numbers(events) == [value.as_u64().unwrap()],
        "counts" => any(&|e| matches!(e, Event::Sample { counts, .. } if Value::from(counts.clone()) == *value)),
        "valid" => any(&|e| match e {
            Event::Sample { status, .. } => Value::from(status.iter().map(|s| *s == 1).collect::<Vec<_>>()) == *value,
            _ => false,
        }),
        "accepted" => {
            let mut accepted = sequence_numbers(events);
            accepted.dedup();
            Value::from(accepted) == *value
        }
        "duplicates" => {
            let sequence = sequence_numbers(events);
            sequence.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64 == value.as_u64().unwrap()
        }
        key => panic!("{}: {key} has no check yet", vector.id),
    }
}

fn near(found: f64, wanted: &Value, tolerance: f64) -> bool {
    (found - wanted.as_f64().unwrap()).abs() <= tolerance
}

fn sequence_numbers(events: &[Event]) -> Vec<u64> {
    events.iter().filter_map(|e| if let Event::Sample { seq, .. } = e { Some(u64::from(*seq)) } else { None }).collect()
}

fn stability(event: &Event) -> Option<bool> {
    match event {
        Event::Weight { stable, .. } | Event::Number { stable, .. } | Event::Digits { stable, .. } => *stable,
        Event::Done { stable, .. } | Event::Status { stable, .. } => *stable,
        Event::Unavailable { reason: Reason::Motion } => Some(false),
        _ => None,
    }
}

/// Status codes of the dialogs that say why there is no weight are no codes here.
fn code_fits(code: &str, event: &Event) -> bool {
    let reason = match code {
        "20" => Reason::Motion,
        "21" => Reason::NoMotionSinceLast,
        "22" => Reason::NotFinished,
        "30" => Reason::BelowMinimum,
        "31" => Reason::Underload,
        "32" => Reason::Overload,
        code => return matches!(event, Event::Code { code: found } if found == code),
    };
    *event == Event::Unavailable { reason }
}

fn error_fits(error: &str, bytes: &[u8], events: &[Event]) -> bool {
    let refused = |name: &str| events.iter().any(|e| matches!(e, Event::Refused { reason, .. } if reason == name));
    let kind = |kind| events.contains(&Event::Error { kind });
    let unavailable = |reason| events.contains(&Event::Unavailable { reason });
    match error {
        "crc" | "checksum" => kind(ErrorKind::Checksum),
        "partial" => kind(ErrorKind::Partial),
        "garbage" => events.iter().any(is_error),
        "line_settings" => kind(ErrorKind::Parity),
        "syntax" => kind(ErrorKind::Syntax),
        "transmission" => kind(ErrorKind::Transmission),
        "logical" => kind(ErrorKind::Logical),
        "illegal_address" => kind(ErrorKind::IllegalAddress),
        "nak" => events.contains(&Event::Nak),
        "overload" => unavailable(Reason::Overload),
        "underload" => unavailable(Reason::Underload),
        "range" => unavailable(Reason::OutOfRange),
        "zero_range" => unavailable(Reason::ZeroError),
        "not_zeroed" => unavailable(Reason::NotZeroed),
        "load_cell" => unavailable(Reason::LoadCell),
        // `S I` stands where a weight should, `Z I` does not.
        "busy" if bytes.starts_with(b"S ") => unavailable(Reason::Busy),
        "busy" | "bad_command" | "zero_range_high" | "zero_range_low" => refused(error),
        error => panic!("{error} has no check yet"),
    }
}

#[test]
fn every_vector_in_every_split() {
    for (family, vectors) in cases() {
        assert!(vectors.len() >= family.vectors, "{}: the vectors have gone missing", family.name);
        let protocol = family.protocol;
        for vector in &vectors {
            let whole = decode(protocol, [vector.bytes.as_slice()]);
            check(vector, &whole);
            assert_eq!(decode(protocol, vector.bytes.chunks(1)), whole, "{} byte by byte", vector.id);
            for at in 0..vector.bytes.len() {
                let (head, tail) = vector.bytes.split_at(at);
                assert_eq!(decode(protocol, [head, tail]), whole, "{} split at {at}", vector.id);
            }
        }
    }
}

#[test]
fn a_frame_cut_anywhere_tells_nothing() {
    for (family, vectors) in cases() {
        for vector in &vectors {
            let sound = |bytes: &[u8]| -> Vec<Event> {
                decode(family.protocol, [bytes]).into_iter().filter(|e| !is_error(e)).collect()
            };
            let whole = sound(&vector.bytes);
            for at in 0..vector.bytes.len() - family.spare {
                let cut = sound(&vector.bytes[..at]);
                assert!(whole.starts_with(&cut), "{} cut at {at}: {cut:?}", vector.id);
                assert!(whole.is_empty() || cut.len() < whole.len(), "{} cut at {at} is as good as whole", vector.id);
            }
        }
    }
}

#[test]
fn garbage_before_a_frame_costs_no_frame() {
    for (family, vectors) in cases() {
        for vector in &vectors {
            let alone = decode(family.protocol, [vector.bytes.as_slice()]);
            for garbage in family.garbage {
                let events = decode(family.protocol, [*garbage, vector.bytes.as_slice()]);
                // A run of garbage is told once, so that a vector which is garbage itself tells nothing new.
                let (told, rest) = events.split_at(events.len().saturating_sub(alone.len()));
                assert!(rest == alone || alone.iter().all(is_error), "{} behind {garbage:?}: {events:?}", vector.id);
                assert!(told.iter().all(is_error), "{} behind {garbage:?}: {events:?}", vector.id);
            }
        }
    }
}

#[test]
fn two_joined_vectors_give_what_each_gives() {
    for (family, vectors) in cases() {
        // A frame without its end, joined to another, is by definition damaged.
        let ends = |v: &&Vector| vector_ends(family.protocol, &v.bytes);
        for first in vectors.iter().filter(ends) {
            for second in &vectors {
                let joined = decode(family.protocol, [[first.bytes.as_slice(), &second.bytes].concat().as_slice()]);
                let apart =
                    [&first.bytes, &second.bytes].map(|bytes| decode(family.protocol, [bytes.as_slice()])).concat();
                assert_eq!(joined, apart, "{} then {}", first.id, second.id);
            }
        }
    }
}

/// Whether nothing is left over when the line falls quiet behind it.
fn vector_ends(protocol: Protocol, bytes: &[u8]) -> bool {
    let mut decoder = decoder(protocol);
    let mut left = false;
    decoder.push(bytes, &mut |_| ());
    decoder.pause(&mut |_| left = true);
    !left
}

#[test]
fn faults_are_told_and_weigh_nothing() {
    let vectors = vectors();
    for (id, protocol) in FAULTS {
        let vector = vectors.iter().find(|v| v.id == *id).unwrap();
        let whole = decode(*protocol, [vector.bytes.as_slice()]);
        // fault-04 is three replies that have queued up: each is a weight, and its age is the link's affair.
        let weights = if *id == "fault-04" { 3 } else { 0 };
        assert_eq!(whole.iter().filter(|e| tells_mass(e)).count(), weights, "{id}: {whole:?}");
        if weights == 0 {
            check(vector, &whole);
        }
        for at in 0..vector.bytes.len() {
            let (head, tail) = vector.bytes.split_at(at);
            assert_eq!(decode(*protocol, [head, tail]), whole, "{id} as {} split at {at}", protocol.name());
        }
    }
}

#[test]
fn requests_are_the_bytes_that_scales_understand() {
    let families: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
    for vector in vectors().iter().filter(|v| !v.from_scale && families.contains(&v.family.as_str())) {
        let made = REQUESTS.iter().find(|(id, _)| *id == vector.id);
        let (_, make) = made.unwrap_or_else(|| panic!("{} is shown and cannot be made", vector.id));
        assert_eq!(make(), vector.bytes, "{}", vector.id);
    }
}

/// The simulator's board reads the LCB vectors from a file of their own.
#[test]
fn the_vectors_of_lcb_are_the_same_in_both_files() {
    let own: Value = serde_json::from_str(include_str!("vectors/lcb.json")).unwrap();
    let all: Value = serde_json::from_str(include_str!("vectors/scales.json")).unwrap();
    let key = |v: &Value| (v["id"].clone(), v["hex"].clone(), v["expect"].clone());
    let list = |file: &Value| -> Vec<_> {
        file["vectors"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|v| v["id"].as_str().unwrap().starts_with("lcb-"))
            .map(key)
            .collect()
    };
    assert_eq!(list(&own), list(&all));
}

/// The sample's own fields, from the vector's description: t = 1 000 000 µs, 21.50 °C, flags 0b111.
#[test]
fn a_sample_has_its_time_flags_and_temperature() {
    use augenmass_core::weighing::wire::lcb;
    let first = vectors().into_iter().find(|v| v.id == "lcb-cobs-01").unwrap();
    let mut found = None;
    lcb::Decoder::default().push(&first.bytes, |event| found = Some(event));
    let Some(lcb::Event::Sample(sample)) = found else { panic!("no sample") };
    assert_eq!((sample.t_us, sample.flags, sample.temperature_centi_c), (1_000_000, 0b111, 2150));
}
