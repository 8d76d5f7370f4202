//! Codes as the specifications of GS1 and the trade have them: what is understood, what is refused, and where the fault is.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod code_laws;

use augenmass_core::basket::codes::{InStorePattern, Reading, ReadingKind, read};
use proptest::prelude::*;

fn understood(text: &str) -> Reading {
    read(text, &[]).unwrap_or_else(|fault| panic!("{text}: {fault} at {}", fault.at))
}

/// The stable name of the fault and its place.
fn fault(text: &str) -> (String, usize) {
    match read(text, &[]) {
        Ok(reading) => panic!("{text} was understood: {reading:?}"),
        Err(fault) => (serde_json::to_value(&fault.kind).unwrap()["code"].as_str().unwrap().to_owned(), fault.at),
    }
}

fn ais(text: &str) -> Vec<(String, String)> {
    understood(text).ais.into_iter().collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(ai, value)| ((*ai).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn retail_codes_become_fourteen_digits() {
    for (text, gtin) in [
        ("4006381333931", "04006381333931"),
        ("4008400401621", "04008400401621"),
        ("5901234123457", "05901234123457"),
        ("40084015", "00000040084015"),
        ("96385074", "00000096385074"),
        ("036000291452", "00036000291452"),
        ("04006381333931", "04006381333931"),
        ("94006381333934", "94006381333934"),
        ("04252614", "00042100005264"),
        ("01234565", "00012345000065"),
        ("06543217", "00065100004327"),
        ("]E04006381333931", "04006381333931"),
        ("]E496385074", "00000096385074"),
        ("]I104006381333931", "04006381333931"),
        ("]C04006381333931", "04006381333931"),
    ] {
        let reading = understood(text);
        assert_eq!((reading.kind, reading.gtin.as_deref()), (ReadingKind::Gtin, Some(gtin)), "{text}");
    }
}

#[test]
fn a_symbology_identifier_binds() {
    // By itself a UPC-E, but the scanner says EAN-8: a number of the store.
    assert_eq!(understood("]E402345673").kind, ReadingKind::InStore);
    assert_eq!(fault("]E012345670"), ("length".to_owned(), 3));
    assert_eq!(fault("]E4123456789"), ("length".to_owned(), 3));
    assert_eq!(fault("]E02112345678901"), ("check_digit".to_owned(), 15));
    assert_eq!(fault("]E01234ABC890123"), ("not_a_digit".to_owned(), 7));
    assert_eq!(fault("]E055"), ("length".to_owned(), 3));
    assert_eq!(fault("]C1"), ("empty".to_owned(), 3));
    assert_eq!(fault("]4"), ("symbology".to_owned(), 0));
    assert_eq!(fault("]E105"), ("symbology".to_owned(), 3));
}

#[test]
fn faults_tell_their_place() {
    for (text, code, at) in [
        ("", "empty", 0),
        ("400638133393x", "not_a_digit", 12),
        ("4006381333932", "check_digit", 12),
        ("123", "length", 0),
        ("123456", "length", 0),
        ("2999", "length", 0),
        ("nonsense", "not_a_digit", 0),
        ("(01)04006381333932", "value", 17),
        ("(10)ab~c", "character", 6),
        ("(10)", "no_value", 4),
        ("(10)12345(11)", "no_value", 13),
        ("(1A)12345", "bracket", 0),
        ("()12345", "bracket", 0),
        ("(12345)12345", "bracket", 0),
        ("(15", "bracket", 0),
        ("(89)1234", "unknown_ai", 1),
        ("(01)123456789012312(10)12345", "value_length", 18),
        ("(17)9(90)217", "value_length", 5),
        ("]C1011234567890123", "value_length", 18),
        ("]C101123456789012312", "unknown_ai", 19),
        ("]d2891234", "unknown_ai", 3),
    ] {
        assert_eq!(fault(text), (code.to_owned(), at), "{text}");
    }
}

#[test]
fn press_coupons_and_refunds_are_lines_without_mass() {
    for (text, kind, add_on) in [
        ("9771234567003", ReadingKind::Press, None),
        ("977123456700304", ReadingKind::Press, Some("04")),
        ("9771234567003 12345", ReadingKind::Press, Some("12345")),
        ("]E3977123456700304", ReadingKind::Press, Some("04")),
        ("9783161484100", ReadingKind::Press, None),
        ("9800000000007", ReadingKind::Voucher, None),
        ("9910000000008", ReadingKind::Coupon, None),
        ("(255)9521234500001", ReadingKind::Coupon, None),
        ("(8110)012345612345611110123", ReadingKind::Coupon, None),
        ("(8112)001234561234560123456", ReadingKind::Coupon, None),
    ] {
        let text = repaired(text);
        let reading = understood(&text);
        assert_eq!((reading.kind, reading.add_on.as_deref(), reading.goods()), (kind, add_on, None), "{text}");
        assert!(reading.is_massless());
    }
}

/// The same code with the check digit that belongs to it, for numbers that were made up here.
fn repaired(text: &str) -> String {
    let digit = |body: &str| augenmass_core::basket::codes::check_digit(body);
    if let Some(body) = text.strip_prefix("(255)") {
        return format!("(255){}{}", &body[..12], digit(&body[..12]));
    }
    match text.len() {
        13 if text.starts_with('9') => format!("{}{}", &text[..12], digit(&text[..12])),
        _ => text.to_owned(),
    }
}

#[test]
fn produce_numbers_are_articles() {
    for (text, article) in [("4011", "04011"), ("94011", "94011"), ("83000", "83000")] {
        let reading = understood(text);
        assert_eq!((reading.kind, reading.article.as_deref()), (ReadingKind::Plu, Some(article)));
        assert_eq!(reading.goods().unwrap().key(), article);
    }
}

#[test]
fn element_strings_mean_the_same_however_they_are_written() {
    let same = [
        "(01)94006381333934(3103)001234(3922)599",
        "019400638133393431030012343922599",
        "]C1019400638133393431030012343922599",
        "]e001940063813339343103001234\u{1d}3922599",
        "]d2\u{1d}0194006381333934\u{1d}31030012343922599\u{1d}",
        "]Q301940063813339343103001234^3922599",
        "https://example.com/01/94006381333934?3103=001234&3922=599",
    ];
    for text in same {
        let reading = understood(text);
        assert_eq!(reading.gtin.as_deref(), Some("94006381333934"), "{text}");
        assert_eq!(reading.weight_g, Some(1234.0), "{text}");
        assert_eq!(reading.price_minor, Some(599), "{text}");
    }
}

#[test]
fn amounts_and_counts_are_taken_with_their_decimals() {
    for (text, weight_g, price, pieces) in [
        ("(01)94006381333934(3100)000002", Some(2000.0), None, None),
        ("(01)94006381333934(3105)123456", Some(1234.56), None, None),
        ("(01)94006381333934(3201)000010", Some(453.592), None, None),
        ("(01)94006381333934(3103)000500(3930)9783", Some(500.0), Some(300), None),
        ("(01)94006381333934(30)12(3923)12995", None, Some(1300), Some(12)),
        ("(00)123456789012345675(02)04006381333931(37)24", None, None, Some(24)),
    ] {
        let reading = understood(text);
        assert_eq!((reading.weight_g, reading.price_minor, reading.pieces), (weight_g, price, pieces), "{text}");
    }
}

#[test]
fn a_fixed_length_needs_no_separator_and_tolerates_one() {
    assert_eq!(
        ais("]C10112312312312333\u{1d}10ABC123\u{1d}99TESTING"),
        pairs(&[("01", "12312312312333"), ("10", "ABC123"), ("99", "TESTING")])
    );
    assert_eq!(
        ais("]e0011231231231233310ABC123\u{1d}1199122598TESTING\u{1d}97XYZ"),
        pairs(&[("01", "12312312312333"), ("10", "ABC123"), ("11", "991225"), ("97", "XYZ"), ("98", "TESTING")])
    );
    assert_eq!(
        ais("(01)12345678901231(10)12345\\(11)991225"),
        pairs(&[("01", "12345678901231"), ("10", "12345(11)991225")])
    );
    assert_eq!(
        ais("]E02112345678900|]e099COMPOSITE\u{1d}98XYZ"),
        pairs(&[("01", "02112345678900"), ("98", "XYZ"), ("99", "COMPOSITE")])
    );
}

#[test]
fn values_obey_their_own_rules() {
    for good in [
        "(8013)1987654Ad4X4bL5ttr2310c2K",
        "(8003)02112345678900ABC",
        "(8003)02112345678900",
        "(00)123456789012345675",
        "(01)12345678901231(7007)211225211231",
        "(01)12345678901231(7007)211225",
        "(01)12345678901231(8008)20122515",
        "(01)12345678901231(8008)201225153059",
        "(01)12345678901231(11)260200",
        "(01)12345678901231(11)240229",
        "(01)12345678901231(423)276250",
        "(01)12345678901231(8001)12341234512398",
        "(00)123456789012345675(4309)18000000003600000000",
        "(00)123456789012345675(4330)001500-",
        "(00)123456789012345675(4307)DE",
        "(00)123456789012345675(4324)2612240000",
        "(00)123456789012345675(7041)X11",
        "(415)9521234500001(8020)REF(8007)DE91100000000123456789",
        "(8018)123456789012345675(8019)123",
        "(8018)123456789012345675(7259)BABY(7258)2/3",
        "(253)1231231231232TEST5678901234567",
        "(7040)1ABC",
        "(8010)123456AB-/#",
        "(8006)123456789012310510(21)S",
        "(01)12345678901231(21)A(8030)abc-_",
        "(8110)012345612345611110123101101239",
        "(400)ABC(99)DEF(400)ABC",
        "(91)XXX(02)12345678901231(92)YYY(37)123(93)ZZZ(00)123456789012345675",
    ] {
        understood(good);
    }
    for bad in [
        "(8013)1987654Ad4X4bL5ttr2310cXK",
        "(8013)A",
        "(8003)112345678901281234567890123456",
        "(00)123456789012345670",
        "(401)123",
        "(7023)12A4",
        "(7040)1AB=",
        "(01)12345678901231(8001)12340000012311",
        "(01)12345678901231(8001)12341234512321",
        "(8010)123456(8011)023456789012",
        "(00)123456789012345675(4321)2",
        "(01)12345678901231(426)987",
        "(01)12345678901231(7030)987ABC",
        "(00)123456789012345675(4307)AA",
        "(8007)AB12345678901234",
        "(8007)FR12345678901234",
        "(8007)FR12_45678901234",
        "(01)12345678901231(11)131313",
        "(01)12345678901231(11)260230",
        "(00)123456789012345675(4326)201200",
        "(00)123456789012345675(4324)2012252400",
        "(00)123456789012345675(4324)2012252360",
        "(01)12345678901231(8008)201225230060",
        "(01)12345678901231(8008)2012251",
        "(8006)123456789012310099",
        "(8006)123456789012310100",
        "(8006)123456789012310302",
        "(00)123456789012345675(4300)ABC%0g",
        "(00)123456789012345675(4300)ABC%0",
        "(00)123456789012345675(4309)18000000010000000000",
        "(00)123456789012345675(4309)00000000003600000001",
        "(00)123456789012345675(4330)000000X",
        "(8018)123456789012345675(7252)3",
        "(8018)123456789012345675(7259)BABY(7258)3/2",
        "(8018)123456789012345675(7241)11",
        "(00)123456789012345675(7041)QQQ",
        "(00)123456789012345675(8030)123=",
        "(8110)71234567890123",
        "(8110)01234561234561111012335006064500607",
        "(8110)012345612345611110123900000",
        "(8112)201234561234560123456",
        "(8112)0012345612345601234567",
        "(253)1231231231232TEST56789012345678",
        "(01)12345678901231(7230)12",
    ] {
        assert!(read(bad, &[]).is_err(), "{bad}");
    }
}

#[test]
fn neighbours_need_and_exclude_each_other() {
    for (text, code) in [
        ("(01)12345678901231(02)12345678901231", "excluded"),
        ("(01)12345678901231(37)123", "excluded"),
        ("(21)ABC123(235)XYZ", "excluded"),
        ("(3940)1234(8111)9999", "excluded"),
        ("(01)12345678901231(3103)000100(3102)000100", "excluded"),
        ("(400)ABC(400)AB", "repeated"),
        ("(21)ABC123", "requires"),
        ("(02)12345678901231(37)123", "requires"),
        ("(01)12345678901231(250)ABC123", "requires"),
        ("(01)12345678901231(3925)12599", "requires"),
        ("(8018)123456789012345675(7258)1/2", "requires"),
    ] {
        assert_eq!(fault(text).0, code, "{text}");
    }
    // One symbol of several on an item: the others may bring what it needs.
    assert_eq!(understood("(10)LOT").ais["10"], "LOT");
}

#[test]
fn digital_links_are_read_from_path_and_query() {
    for (text, expected) in [
        ("https://id.gs1.org/01/09520123456788", &[("01", "09520123456788")][..]),
        ("http://a/00/006141411234567890", &[("00", "006141411234567890")]),
        ("HTTPS://a/00/006141411234567890", &[("00", "006141411234567890")]),
        ("https://a:65535/01/12312312312333", &[("01", "12312312312333")]),
        ("https://[2001:db8::1]/01/12312312312333", &[("01", "12312312312333")]),
        ("https://a/00/faux/00/006141411234567890", &[("00", "006141411234567890")]),
        ("https://a/stem/00/006141411234567890?", &[("00", "006141411234567890")]),
        (
            "https://a/01/12312312312333/22/TEST/10/ABC/21/XYZ",
            &[("01", "12312312312333"), ("10", "ABC"), ("21", "XYZ"), ("22", "TEST")],
        ),
        ("https://a/01/12312312312333/235/TEST?10=ABC", &[("01", "12312312312333"), ("10", "ABC"), ("235", "TEST")]),
        (
            "https://id.gs1.org/01/09520123456788/10/ABC1/21/12345?17=180426",
            &[("01", "09520123456788"), ("10", "ABC1"), ("17", "180426"), ("21", "12345")],
        ),
        (
            "https://a/01/12312312312333?&&&99=ABC&&&linkType=all&single&98=XYZ%2f987&&#part",
            &[("01", "12312312312333"), ("98", "XYZ/987"), ("99", "ABC")],
        ),
        ("https://a/01/12312312312333/22/ABC+1%2d3", &[("01", "12312312312333"), ("22", "ABC+1-3")]),
        ("https://id.gs1.org/414/9520123456788/254/32a%2Fb", &[("254", "32a/b"), ("414", "9520123456788")]),
        (
            "https://id.gs1.org/00/952012345678912345?02=09520123456788&37=25&10=ABC123",
            &[("00", "952012345678912345"), ("02", "09520123456788"), ("10", "ABC123"), ("37", "25")],
        ),
        ("]Q1https://example.com/01/12312312312333?99=TEST", &[("01", "12312312312333"), ("99", "TEST")]),
    ] {
        assert_eq!(ais(text), pairs(expected), "{text}");
        assert_eq!(understood(text).kind, ReadingKind::DigitalLink, "{text}");
    }
}

#[test]
fn addresses_that_are_no_digital_link_say_why() {
    for (text, code, at) in [
        ("https://", "link_host", 8),
        ("https:///01/12312312312333", "link_host", 8),
        ("https://a", "link_host", 9),
        ("https://a/", "link_key", 10),
        ("https://a/b/", "link_key", 12),
        ("https://a$/00/006141411234567890", "link_host", 9),
        ("https://00/006141411234567890", "link_compressed", 11),
        ("HtTp://a/b/00/006141411234567890", "link_scheme", 0),
        ("https://a/gtin/12312312312333", "link_compressed", 15),
        ("https://example.com/ARFKk4XB0CDKWcnpq", "link_compressed", 20),
        ("https://a/01/2112345678900", "value_length", 26),
        ("https://a/01/12312312312333/", "link_key", 28),
        ("https://a/01/12312312312333/10/ABC/22/TEST", "link_qualifier", 35),
        ("https://a/01/12312312312333/22/A/235/B", "link_qualifier", 33),
        ("https://example.com/01/09520123456788?10=ABC123", "link_attribute", 38),
        ("https://example.com/01/09520123456788?21=ABC123", "link_attribute", 38),
        ("https://a/01/12312312312333?99=", "no_value", 31),
        ("https://a/01/12312312312333?99=ABC&999=faux", "unknown_ai", 35),
        ("https://a/01/12312312312333?99=A&99=A", "repeated", 33),
        ("https://a/01/12312312312333?98=XYZ+987", "character", 34),
        ("https://a/01/12312312312333/10/A%2", "link_character", 32),
        ("https://a/01/12312312312333/10/A%00", "link_character", 32),
        ("https://a/01/12312312312333/10/A B", "link_character", 32),
        ("https://a/253/1231231231232TEST56789012345678", "value_length", 44),
    ] {
        assert_eq!(fault(text), (code.to_owned(), at), "{text}");
    }
}

#[test]
fn templates_of_a_retailer_come_before_everything_else() {
    let templates: Vec<InStorePattern> = ["29IIIIVWWWWWC", "2IIIIIVPPPPC", "97EEEEEEEEEEEEEPPPPPP_"]
        .into_iter()
        .map(|text| InStorePattern::try_from(text.to_owned()).unwrap())
        .collect();
    let weighed = read("2940111012340", &templates).unwrap();
    assert_eq!(
        (weighed.kind, weighed.article.as_deref(), weighed.weight_g),
        (ReadingKind::InStore, Some("4011"), Some(1234.0))
    );
    // Twelve digits, and the same with the zero that a scanner puts in front.
    for text in ["212345928752", "0212345928752", "]E00212345928752"] {
        assert_eq!(read(text, &templates).unwrap().price_minor, Some(2875), "{text}");
    }
    let label = read("]C09740063813339310012997", &templates).unwrap();
    assert_eq!((label.gtin.as_deref(), label.price_minor), (Some("04006381333931"), Some(1299)));
    assert_eq!(read("2940112012340", &templates).unwrap_err().at, 12);
    // Without a template it is a number of the store, and no trade item.
    let unknown = read("2940111012340", &[]).unwrap();
    assert_eq!((unknown.kind, unknown.gtin, unknown.weight_g), (ReadingKind::InStore, None, None));
}

#[test]
fn every_input_of_the_corpus_keeps_the_laws() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/codes-corpus");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 30, "the corpus has gone missing");
    for file in files {
        code_laws::hold(&std::fs::read(&file).unwrap());
    }
}

proptest! {
    #[test]
    fn any_bytes_keep_the_laws(input in proptest::collection::vec(any::<u8>(), 0..80)) {
        code_laws::hold(&input);
    }

    /// Whatever comes, there is an answer; a fault lies within the text.
    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,60}|[0-9()\\^/A-Z:?=&%]{0,80}|https://a/01/12312312312333[/?&=0-9A-Za-z%]{0,60}") {
        if let Err(fault) = read(&text, &[]) {
            prop_assert!(fault.at <= text.len());
        }
    }

    /// The way of writing changes nothing.
    #[test]
    fn brackets_separators_and_links_agree(
        body in "[0-9]{13}",
        lot in "[A-Z0-9a-z./-]{1,20}",
        serial in "[A-Z0-9a-z_-]{1,20}",
        day in 1u32..=28,
    ) {
        let gtin = format!("{body}{}", augenmass_core::basket::codes::check_digit(&body));
        let bracketed = format!("(01){gtin}(17)2611{day:02}(10){lot}(21){serial}");
        let raw = format!("]C101{gtin}172611{day:02}10{lot}\u{1d}21{serial}");
        let escaped: String = lot.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let link = format!("https://x.example/p/01/{gtin}/10/{escaped}/21/{serial}?17=2611{day:02}");
        let expected = understood(&bracketed).ais;
        prop_assert_eq!(&understood(&raw).ais, &expected);
        prop_assert_eq!(&understood(&link).ais, &expected);
    }
}

mod scanner {
    //! A scanner's bytes: whole, byte by byte, split at each point, behind garbage and cut.

    use augenmass_core::basket::scanner::{Heard, ScannerDecoder, ScannerProtocol, ssi};
    use serde_json::{Value, json};

    fn vectors() -> Value {
        serde_json::from_str(include_str!("vectors/scanner.json")).unwrap()
    }

    fn bytes(vector: &Value) -> Vec<u8> {
        let hex = vector["hex"].as_str().unwrap();
        hex.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
    }

    fn told(heard: Heard) -> Value {
        match heard {
            Heard::Scan { text, code_type: None } => json!({ "scan": text }),
            Heard::Scan { text, code_type: Some(code_type) } => json!({ "scan": text, "code_type": code_type }),
            Heard::Again => json!("again"),
            Heard::Acknowledged => json!("acknowledged"),
            Heard::Refused { cause } => json!({ "refused": cause }),
            Heard::Other { opcode } => json!({ "other": opcode }),
            Heard::Damaged => json!("damaged"),
        }
    }

    fn heard(decoder: &mut ScannerDecoder, chunks: &[&[u8]]) -> Vec<Value> {
        let mut all = Vec::new();
        chunks.iter().for_each(|chunk| decoder.push(chunk, &mut |one| all.push(told(one))));
        all
    }

    #[test]
    fn every_vector_is_heard_however_it_comes() {
        for vector in vectors()["scans"].as_array().unwrap() {
            let protocol: ScannerProtocol = serde_json::from_value(vector["protocol"].clone()).unwrap();
            let fresh = || ScannerDecoder::new(protocol);
            let (bytes, expected) = (bytes(vector), vector["expect"].as_array().unwrap());
            let singles: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(heard(&mut fresh(), &singles), *expected, "{}", vector["id"]);
            for at in 0..=bytes.len() {
                let (one, other) = bytes.split_at(at);
                assert_eq!(heard(&mut fresh(), &[one, other]), *expected, "{} at {at}", vector["id"]);
            }
            // What is left of something before is over after a pause, and costs nothing.
            let mut decoder = fresh();
            heard(&mut decoder, &[&[0x20, 0xF3, 0x00, 0x41]]);
            decoder.pause(&mut |one| assert_eq!(one, Heard::Damaged));
            assert_eq!(heard(&mut decoder, &[&bytes]), *expected, "{} behind a pause", vector["id"]);
        }
    }

    #[test]
    fn a_cut_packet_is_no_scan() {
        for vector in vectors()["scans"].as_array().unwrap().iter().filter(|v| v["expect"][0]["scan"].is_string()) {
            let protocol: ScannerProtocol = serde_json::from_value(vector["protocol"].clone()).unwrap();
            let bytes = bytes(vector);
            for end in 0..bytes.len() {
                let mut decoder = ScannerDecoder::new(protocol);
                let before = heard(&mut decoder, &[&bytes[..end]]);
                assert!(before.len() <= vector["expect"].as_array().unwrap().len());
                let mut after = Vec::new();
                decoder.pause(&mut |one| after.push(one));
                assert!(after.iter().all(|one| *one == Heard::Damaged));
            }
        }
    }

    #[test]
    fn a_turned_bit_never_makes_another_scan() {
        let list =
            bytes(&vectors()["scans"].as_array().unwrap().iter().find(|v| v["id"] == "ssi-list").unwrap().clone());
        for (at, bit) in (0..list.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut turned = list.clone();
            turned[at] ^= 1 << bit;
            let mut decoder = ScannerDecoder::new(ScannerProtocol::Ssi);
            let all = heard(&mut decoder, &[&turned]);
            assert!(all.iter().all(|one| one["scan"].is_null()), "byte {at} bit {bit}: {all:?}");
        }
    }

    #[test]
    fn memory_is_bounded_and_a_line_that_is_too_long_is_none() {
        let mut decoder = ScannerDecoder::new(ScannerProtocol::Lines);
        assert_eq!(
            heard(&mut decoder, &[&vec![b'7'; 1_000_000], b"\r", b"AML:b-1\r"]),
            [json!("damaged"), json!({ "scan": "AML:b-1" })]
        );
    }

    #[test]
    fn commands_are_the_bytes_that_scanners_understand() {
        for vector in vectors()["commands"].as_array().unwrap() {
            let argument = vector["argument"].as_u64().unwrap_or(0) as u8;
            let sent = match vector["id"].as_str().unwrap() {
                "ack" => ssi::ack(),
                "nak" => ssi::nak(),
                "beep" => ssi::beep(argument),
                "led_on" => ssi::led_on(argument),
                "led_off" => ssi::led_off(argument),
                "scan_enable" => ssi::scan_enable(),
                other => panic!("{other}"),
            };
            assert_eq!(sent, bytes(vector), "{}", vector["id"]);
        }
    }
}
