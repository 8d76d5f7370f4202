use std::collections::BTreeMap;

use super::*;

/// Bytes of the shared vector `id`.
pub(super) fn vector(id: &str) -> Vec<u8> {
    let file: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors/scales.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let found = vectors.iter().find(|vector| vector["id"] == id).unwrap_or_else(|| panic!("no vector {id}"));
    let hex = found["hex"].as_str().unwrap();
    hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// What a firmware answers at once.
pub(super) fn ask(speech: &mut impl Speech, meter: &mut Meter, request: &[u8]) -> Vec<u8> {
    let mut out = Answers::default();
    for byte in request {
        speech.heard(1_000_000, *byte, true, meter, &mut out);
    }
    out.0.into_iter().flat_map(|(_, bytes)| bytes).collect()
}

/// What a firmware says when the display is renewed at `now_us`.
pub(super) fn renew(speech: &mut impl Speech, meter: &mut Meter, now_us: u64) -> Vec<u8> {
    let mut out = Answers::default();
    speech.shown(now_us, meter, &mut out);
    out.0.into_iter().flat_map(|(_, bytes)| bytes).collect()
}

/// Prints bytes so that a failed comparison can be read.
pub(super) fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn scale(protocol: &str) -> Indicator {
    let indicator = hw::tests::indicator(protocol);
    let cells = indicator.cells(&hw::tests::plate().platform, &[]);
    Indicator::switch_on(&indicator, &cells, &BTreeMap::new(), 0.0, 0)
}

/// Runs until `until_us` with `load_g` on the plate; gives what was sent.
fn run(scale: &mut Indicator, until_us: u64, load_g: f64) -> Vec<u8> {
    let count = (load_g / 4.0 * 2_000_000.0 / 30_000.0).round() as i32;
    let mut sent = Vec::new();
    while scale.next_conversion_us() <= until_us {
        scale.convert(&[count; 4], true);
        sent.extend(scale.take_output().into_iter().flat_map(|(_, bytes)| bytes));
    }
    sent
}

fn request(scale: &mut Indicator, now_us: u64, bytes: &[u8]) -> Vec<u8> {
    scale.receive(now_us, bytes.iter().map(|byte| (*byte, true)));
    scale.take_output().into_iter().flat_map(|(_, bytes)| bytes).collect()
}

#[test]
fn boots_weighs_and_forgets_its_zero_at_a_reboot() {
    let mut scale = scale("mt-sics");
    assert!(request(&mut scale, 1_000_000, b"SI\r\n").is_empty(), "deaf while it boots");
    assert_eq!(text(&run(&mut scale, 3_000_000, 0.0)), r#"I4 A \"1234567\"\r\n"#);
    run(&mut scale, 5_000_000, 2_503.0);
    assert_eq!(text(&request(&mut scale, 5_000_000, b"SI\r\n")), r"S S      2.505 kg\r\n");
    scale.reboot(5_000_000);
    assert_eq!(text(&run(&mut scale, 8_000_000, 2_503.0)), r#"I4 A \"1234567\"\r\n"#);
    assert_eq!(text(&request(&mut scale, 8_000_000, b"SI\r\n")), r"S S      0.000 kg\r\n");
}

#[test]
fn every_protocol_weighs_the_same_load() {
    for (protocol, question, answer) in [
        ("toledo-8217", &b"W"[..], r"\x0201.250\r"),
        ("nci", b"W\r", r"\n001.250kg\r\n00\r\x03"),
        ("cas", b"\x05\x11", r"\x06\x01\x02S 01.250kgg\x03\x04"),
        ("modbus-laumas", b"\x01\x03\x00\x06\x00\x05\x65\xC8", r"\x01\x03\n\x08\x00\x00\x00\x04\xe2\x00\x00\x04\xe2"),
        ("modbus-flintec", b"\x01\x03\x00\x00\x00\x03\x05\xCB", r"\x01\x03\x06\x00\x00\x04\xe2\x00\x02"),
        ("hbm-aed", b"MSV?;", r"\x00\x04\xe2\x0c\r\n"),
        ("dialog02", b"\x04\x0201\x1b000299\x1b\x03\x04\x05", r"\x06\x0202\x1b3\x1b01250\x1b000299\x1b000374\x03"),
    ] {
        let mut scale = scale(protocol);
        run(&mut scale, 3_000_000, 0.0);
        run(&mut scale, 6_000_000, 1250.0);
        let answer_came = text(&request(&mut scale, 6_000_000, question));
        assert!(answer_came.starts_with(answer), "{protocol}: {answer_came}");
    }
    let mut scale = self::scale("toledo-continuous");
    run(&mut scale, 3_000_000, 0.0);
    run(&mut scale, 5_000_000, 1250.0);
    let stream = run(&mut scale, 6_000_000, 1250.0);
    assert_eq!(stream.len() / 18, 7, "about seven a second");
    assert!(text(&stream).starts_with(r"\x02=0 001250000000\r"), "{}", text(&stream));
    let mut scale = self::scale("and");
    run(&mut scale, 5_000_000, 0.0);
    let stream = run(&mut scale, 8_000_000, 1250.0);
    assert!(text(&stream).ends_with(r"ST,+0001.250 kg\r\n"), "{}", text(&stream));
}

#[test]
fn a_converter_at_its_end_is_no_weight() {
    for (protocol, question, answer) in [
        ("mt-sics", &b"SI\r\n"[..], r"S I\r\n"),
        ("modbus-laumas", b"\x01\x03\x00\x06\x00\x05\x65\xC8", r"\x01\x03\n\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00)&"),
    ] {
        let mut scale = scale(protocol);
        run(&mut scale, 3_000_000, 0.0);
        scale.convert(&[0, 0, 8_388_607, 0], true);
        assert_eq!(text(&request(&mut scale, 3_100_000, question)), answer);
        run(&mut scale, 5_000_000, 0.0);
        scale.convert(&[0; 4], false);
        assert_eq!(text(&request(&mut scale, 5_100_000, question)), answer);
    }
}
