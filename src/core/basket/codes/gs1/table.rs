//! The table of application identifiers (GS1 General Specifications, chapter 3; rules of single parts and of neighbours after the
//! GS1 Barcode Syntax Dictionary).

use super::rule::Rule;

/// Characters of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// Digits.
    Digits,
    /// The set of 82 characters.
    Text,
    /// The set of 39 characters.
    Upper,
    /// The file-safe set of 64 characters and its padding.
    FileSafe,
}

impl Set {
    /// Whether a character belongs to it.
    pub fn holds(self, byte: u8) -> bool {
        match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Text => super::super::check::SET_82.contains(&byte),
            Self::Upper => byte.is_ascii_digit() || byte.is_ascii_uppercase() || b"#-/".contains(&byte),
            Self::FileSafe => super::rule::is_base64(byte) || byte == b'=',
        }
    }
}

/// One part of a value.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Its characters.
    pub set: Set,
    /// Fewest of them.
    pub least: usize,
    /// Most of them.
    pub most: usize,
    /// Whether it may be left out, with all after it.
    pub optional: bool,
    /// What it obeys besides.
    pub rules: &'static [Rule],
}

impl Part {
    const fn new(set: Set, least: usize, most: usize) -> Self {
        Self { set, least, most, optional: false, rules: &[] }
    }

    const fn rules(self, rules: &'static [Rule]) -> Self {
        Self { rules, ..self }
    }

    const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }
}

const fn n(length: usize) -> Part {
    Part::new(Set::Digits, length, length)
}
const fn n_to(most: usize) -> Part {
    Part::new(Set::Digits, 1, most)
}
const fn x(length: usize) -> Part {
    Part::new(Set::Text, length, length)
}
const fn x_to(most: usize) -> Part {
    Part::new(Set::Text, 1, most)
}

/// A row: one application identifier, or a family of them.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Digits; `n` in the last place stands for a digit of the range.
    pub ai: &'static str,
    /// The range of that digit.
    pub last: (u8, u8),
    /// Whether its length is known beforehand, so that no FNC1 follows.
    pub fixed: bool,
    /// Whether it may be an attribute in the query of a GS1 Digital Link.
    pub attribute: bool,
    /// The value.
    pub parts: &'static [Part],
    /// What must stand beside it: each of these needs one of its alternatives (`,`); `+` joins what belongs together.
    pub needs: &'static [&'static str],
    /// What must not stand beside it.
    pub excludes: &'static str,
    /// For keys of a GS1 Digital Link: the qualifiers in their order, alternatives apart.
    pub key: Option<&'static [&'static [&'static str]]>,
}

impl Row {
    const fn new(ai: &'static str, parts: &'static [Part]) -> Self {
        Self { ai, last: (0, 9), fixed: false, attribute: true, parts, needs: &[], excludes: "", key: None }
    }

    const fn up_to(self, last: u8) -> Self {
        Self { last: (0, last), ..self }
    }

    const fn fixed(self) -> Self {
        Self { fixed: true, ..self }
    }

    const fn no_attribute(self) -> Self {
        Self { attribute: false, ..self }
    }

    const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    const fn excludes(self, excludes: &'static str) -> Self {
        Self { excludes, ..self }
    }

    const fn key(self, qualifiers: &'static [&'static [&'static str]]) -> Self {
        Self { key: Some(qualifiers), ..self }
    }

    /// Whether the row speaks of this application identifier.
    pub fn is(&self, ai: &str) -> bool {
        match (self.ai.strip_suffix('n'), ai.as_bytes()) {
            (None, _) => self.ai == ai,
            (Some(family), [head @ .., last]) => {
                family.as_bytes() == head && (b'0' + self.last.0..=b'0' + self.last.1).contains(last)
            }
            (Some(_), []) => false,
        }
    }
}

/// The row of an application identifier.
pub fn find(ai: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.is(ai))
}

use Rule::{
    Base64, CheckDigit, CheckPair, Country, CountryLetters, CountryOr999, Coupon, CouponOffer, Currency, Date,
    DateOrMonth, Hour, HourMinute, Hyphen, Iban, ImporterIndex, Iso5218, Key, Latitude, LongDate, Longitude, Medium,
    NoZeroPrefix, NonZero, PackageType, Percent, PieceOfTotal, PositionOfEnd, Sixtieth, SomeNonDigit, Winding, YesNo,
    Zero,
};

const GTIN: &[Part] = &[n(14).rules(&[CheckDigit])];
const GLN: &[Part] = &[n(13).rules(&[CheckDigit])];
const GSRN: &[Part] = &[n(18).rules(&[CheckDigit])];
const ITIP: &[Part] = &[n(14).rules(&[CheckDigit]), n(4).rules(&[PieceOfTotal])];
const YYMMD0: &[Part] = &[n(6).rules(&[DateOrMonth])];
const YYMMDD: &[Part] = &[n(6).rules(&[Date])];
const N6: &[Part] = &[n(6)];
const COUNTRY: &[Part] = &[n(3).rules(&[Country])];
const COUNTRIES: &[Part] = &[
    n(3).rules(&[Country]),
    n(3).optional().rules(&[Country]),
    n(3).optional().rules(&[Country]),
    n(3).optional().rules(&[Country]),
    n(3).optional().rules(&[Country]),
];
const X20: &[Part] = &[x_to(20)];
const X30: &[Part] = &[x_to(30)];
const NAME: &[Part] = &[x_to(35).rules(&[Percent])];
const SHORT_NAME: &[Part] = &[x_to(40).rules(&[Percent])];
const ADDRESS: &[Part] = &[x_to(70).rules(&[Percent])];
const FLAG: &[Part] = &[n(1).rules(&[YesNo])];
const WINDOW: &[Part] = &[n(6).rules(&[DateOrMonth]), n(4).rules(&[HourMinute])];
const TEMPERATURE: &[Part] = &[n(6), x(1).optional().rules(&[Hyphen])];
const AMOUNT: &[Part] = &[n_to(15)];
const AMOUNT_IN: &[Part] = &[n(3).rules(&[Currency]), n_to(15)];

const ITEM: &[&str] = &["01,02"];
const ITEMS: &[&str] = &["01,02,8006,8026"];
const ITEMS_OR_MADE: &[&str] = &["01,02,03,8006,8026"];
const UNIT: &[&str] = &["00,01"];
const PARCEL: &[&str] = &["00"];
const PATIENT: &[&str] = &["8018"];
const PERSON: &[&str] = &["8017,8018"];
const ONE: &[&str] = &["01"];
const PIECE: &[&str] = &["01,8006"];
const MEASURED: &str = "30,31nn,32nn,35nn,36nn";

/// A measure of a trade item: six digits, the last digit of the identifier says how many of them follow the point.
const fn trade(ai: &'static str) -> Row {
    Row::new(ai, N6).up_to(5).fixed().needs(ITEM).excludes(ai)
}

/// The same of a logistic unit.
const fn logistic(ai: &'static str) -> Row {
    trade(ai).needs(UNIT)
}

/// Every application identifier.
pub static TABLE: &[Row] = &[
    Row::new("00", GSRN).fixed().key(&[]),
    Row::new("01", GTIN).fixed().excludes("255,37").key(&[&["22", "10", "21"], &["235"]]),
    Row::new("02", GTIN).fixed().needs(&["37"]).excludes("01,03"),
    Row::new("03", GTIN).fixed().no_attribute().excludes("01,02,37"),
    Row::new("10", X20).needs(ITEMS_OR_MADE),
    Row::new("11", YYMMD0).fixed().needs(ITEMS_OR_MADE),
    Row::new("12", YYMMD0).fixed().needs(&["8020"]),
    Row::new("13", YYMMD0).fixed().needs(ITEMS_OR_MADE),
    Row::new("15", YYMMD0).fixed().needs(ITEMS_OR_MADE),
    Row::new("16", YYMMD0).fixed().needs(ITEMS_OR_MADE),
    Row::new("17", YYMMD0).fixed().needs(&["01,02,03,255,8006,8026"]),
    Row::new("20", &[n(2)]).fixed().needs(ITEMS),
    Row::new("21", X20).no_attribute().needs(&["01,03,8006"]).excludes("235"),
    Row::new("22", X20).no_attribute().needs(ONE),
    Row::new("235", &[x_to(28)]).no_attribute().needs(ONE),
    Row::new("240", X30).needs(ITEMS),
    Row::new("241", X30).needs(ITEMS),
    Row::new("242", &[n_to(6)]).needs(ITEMS),
    Row::new("243", X20).needs(ONE),
    Row::new("250", X30).needs(&["01,8006", "21"]),
    Row::new("251", X30).needs(PIECE),
    Row::new("253", &[n(13).rules(&[CheckDigit]), x_to(17).optional()]).key(&[]),
    Row::new("254", X20).no_attribute().needs(&["414"]),
    Row::new("255", &[n(13).rules(&[CheckDigit]), n_to(12).optional()]).excludes("01,02,415,8006,8020,8026").key(&[]),
    Row::new("30", &[n_to(8)]).needs(ITEM),
    trade("310n"),
    trade("311n"),
    trade("312n"),
    trade("313n"),
    trade("314n"),
    trade("315n"),
    trade("316n"),
    trade("320n"),
    trade("321n"),
    trade("322n"),
    trade("323n"),
    trade("324n"),
    trade("325n"),
    trade("326n"),
    trade("327n"),
    trade("328n"),
    trade("329n"),
    logistic("330n"),
    logistic("331n"),
    logistic("332n"),
    logistic("333n"),
    logistic("334n"),
    logistic("335n"),
    logistic("336n"),
    trade("337n").needs(ONE),
    logistic("340n"),
    logistic("341n"),
    logistic("342n"),
    logistic("343n"),
    logistic("344n"),
    logistic("345n"),
    logistic("346n"),
    logistic("347n"),
    logistic("348n"),
    logistic("349n"),
    trade("350n"),
    trade("351n"),
    trade("352n"),
    logistic("353n"),
    logistic("354n"),
    logistic("355n"),
    trade("356n"),
    trade("357n"),
    trade("360n"),
    trade("361n"),
    logistic("362n"),
    logistic("363n"),
    trade("364n"),
    trade("365n"),
    trade("366n"),
    logistic("367n"),
    logistic("368n"),
    logistic("369n"),
    Row::new("37", &[n_to(8)]).needs(&["00", "02,8026"]),
    Row::new("390n", AMOUNT).needs(&["255,8020"]).excludes("390n,391n,394n,8111"),
    Row::new("391n", AMOUNT_IN).needs(&["8020"]).excludes("391n"),
    Row::new("392n", AMOUNT).needs(&["01", MEASURED]).excludes("392n,393n"),
    Row::new("393n", AMOUNT_IN).needs(&[MEASURED]).excludes("393n"),
    Row::new("394n", &[n(4)]).up_to(3).needs(&["255"]).excludes("394n,8111"),
    Row::new("395n", N6).up_to(5).needs(&[MEASURED]).excludes("392n,393n,395n,8005"),
    Row::new("400", X30),
    Row::new("401", &[x_to(30).rules(&[Key])]).key(&[]),
    Row::new("402", &[n(17).rules(&[CheckDigit])]).key(&[]),
    Row::new("403", X30).needs(PARCEL),
    Row::new("410", GLN).fixed(),
    Row::new("411", GLN).fixed(),
    Row::new("412", GLN).fixed(),
    Row::new("413", GLN).fixed(),
    Row::new("414", GLN).fixed().key(&[&["254"], &["7040"]]),
    Row::new("415", GLN).fixed().needs(&["8020"]).key(&[&["8020"]]),
    Row::new("416", GLN).fixed(),
    Row::new("417", GLN).fixed().key(&[&["7040"]]),
    Row::new("420", X20).excludes("421"),
    Row::new("421", &[n(3).rules(&[Country]), x_to(9)]).excludes("4307"),
    Row::new("422", COUNTRY).needs(ITEMS).excludes("426"),
    Row::new("423", COUNTRIES).needs(ITEM).excludes("426"),
    Row::new("424", COUNTRY).needs(ITEM).excludes("426"),
    Row::new("425", COUNTRIES).needs(ITEM).excludes("426"),
    Row::new("426", COUNTRY).needs(ITEM),
    Row::new("427", &[x_to(3)]).needs(&["01,02", "422"]),
    Row::new("4300", NAME).needs(PARCEL),
    Row::new("4301", NAME).needs(PARCEL),
    Row::new("4302", ADDRESS).needs(PARCEL),
    Row::new("4303", ADDRESS).needs(&["4302"]),
    Row::new("4304", ADDRESS).needs(PARCEL),
    Row::new("4305", ADDRESS).needs(PARCEL),
    Row::new("4306", ADDRESS).needs(PARCEL),
    Row::new("4307", &[x(2).rules(&[CountryLetters])]).needs(PARCEL),
    Row::new("4308", X30).needs(PARCEL),
    Row::new("4309", &[n(10).rules(&[Latitude]), n(10).rules(&[Longitude])]).needs(PARCEL),
    Row::new("4310", NAME).needs(PARCEL),
    Row::new("4311", NAME).needs(PARCEL),
    Row::new("4312", ADDRESS).needs(PARCEL),
    Row::new("4313", ADDRESS).needs(&["4312"]),
    Row::new("4314", ADDRESS).needs(PARCEL),
    Row::new("4315", ADDRESS).needs(PARCEL),
    Row::new("4316", ADDRESS).needs(PARCEL),
    Row::new("4317", &[x(2).rules(&[CountryLetters])]).needs(PARCEL),
    Row::new("4318", X20).needs(PARCEL),
    Row::new("4319", X30).needs(PARCEL),
    Row::new("4320", NAME).needs(PARCEL),
    Row::new("4321", FLAG).needs(PARCEL),
    Row::new("4322", FLAG).needs(PARCEL),
    Row::new("4323", FLAG).needs(PARCEL),
    Row::new("4324", WINDOW).needs(PARCEL),
    Row::new("4325", WINDOW).needs(PARCEL),
    Row::new("4326", YYMMDD).needs(PARCEL),
    Row::new("4330", TEMPERATURE).needs(PARCEL).excludes("4331"),
    Row::new("4331", TEMPERATURE).needs(PARCEL).excludes("4330"),
    Row::new("4332", TEMPERATURE).needs(PARCEL).excludes("4333"),
    Row::new("4333", TEMPERATURE).needs(PARCEL).excludes("4332"),
    Row::new("7001", &[n(13)]).needs(ITEMS),
    Row::new("7002", X30).needs(ITEM),
    Row::new("7003", &[n(6).rules(&[Date]), n(4).rules(&[HourMinute])]).needs(ITEM),
    Row::new("7004", &[n_to(4)]).needs(&["01", "10"]),
    Row::new("7005", &[x_to(12)]).needs(ITEM),
    Row::new("7006", YYMMDD).needs(ITEM),
    Row::new("7007", &[n(6).rules(&[Date]), n(6).optional().rules(&[Date])]).needs(ITEM),
    Row::new("7008", &[x_to(3)]).needs(ITEM),
    Row::new("7009", &[x_to(10)]).needs(ITEM),
    Row::new("7010", &[x_to(2)]).needs(ITEM),
    Row::new("7011", &[n(6).rules(&[Date]), n(4).optional().rules(&[HourMinute])]).needs(ITEM),
    Row::new("7020", X20).needs(&["01,8006", "416"]),
    Row::new("7021", X20).needs(PIECE),
    Row::new("7022", X20).needs(&["7021"]),
    Row::new("7023", &[x_to(30).rules(&[Key])]),
    Row::new("703n", &[n(3).rules(&[CountryOr999]), x_to(27)]).needs(ITEM),
    Row::new("7040", &[n(1), x(1), x(1), x(1).rules(&[ImporterIndex])]).no_attribute(),
    Row::new("7041", &[x_to(4).rules(&[PackageType])]).no_attribute().needs(PARCEL),
    Row::new("710", X20).needs(ONE),
    Row::new("711", X20).needs(ONE),
    Row::new("712", X20).needs(ONE),
    Row::new("713", X20).needs(ONE),
    Row::new("714", X20).needs(ONE),
    Row::new("715", X20).needs(ONE),
    Row::new("716", X20).needs(ONE),
    Row::new("723n", &[x(2), x_to(28)]).needs(&["01,8004"]),
    Row::new("7240", X20).needs(PIECE),
    Row::new("7241", &[n(2).rules(&[Medium])]).needs(PERSON),
    Row::new("7242", &[x_to(25)]).needs(PERSON),
    Row::new("7250", &[n(8).rules(&[LongDate])]).needs(PATIENT).excludes("7251"),
    Row::new("7251", &[n(8).rules(&[LongDate]), n(4).rules(&[HourMinute])]).needs(PATIENT).excludes("7250"),
    Row::new("7252", &[n(1).rules(&[Iso5218])]).needs(PATIENT),
    Row::new("7253", SHORT_NAME).needs(PERSON).excludes("7256,7259"),
    Row::new("7254", SHORT_NAME).needs(PERSON).excludes("7256,7259"),
    Row::new("7255", &[x_to(10)]).needs(PERSON).excludes("7256,7259"),
    Row::new("7256", &[x_to(90).rules(&[Percent])]).needs(PERSON),
    Row::new("7257", ADDRESS).needs(PATIENT),
    Row::new("7258", &[x(3).rules(&[PositionOfEnd])]).needs(&["8018+7259"]),
    Row::new("7259", SHORT_NAME).needs(PATIENT).excludes("7256"),
    Row::new(
        "8001",
        &[n(4).rules(&[NonZero]), n(5).rules(&[NonZero]), n(3).rules(&[NonZero]), n(1).rules(&[Winding]), n(1)],
    )
    .needs(ONE),
    Row::new("8002", X20),
    Row::new("8003", &[n(1).rules(&[Zero]), n(13).rules(&[CheckDigit]), x_to(16).optional()]).key(&[]),
    Row::new("8004", &[x_to(30).rules(&[Key])]).key(&[&["7040"]]),
    Row::new("8005", N6).needs(ITEM),
    Row::new("8006", ITIP).excludes("01,37").key(&[&["22", "10", "21"]]),
    Row::new("8007", &[x_to(34).rules(&[Iban])]).needs(&["415"]),
    Row::new(
        "8008",
        &[
            n(6).rules(&[Date]),
            n(2).rules(&[Hour]),
            n(2).optional().rules(&[Sixtieth]),
            n(2).optional().rules(&[Sixtieth]),
        ],
    )
    .needs(ITEM),
    Row::new("8009", &[x_to(50)]).needs(UNIT),
    Row::new("8010", &[Part::new(Set::Upper, 1, 30).rules(&[Key])]).key(&[&["8011"]]),
    Row::new("8011", &[n_to(12).rules(&[NoZeroPrefix])]).no_attribute().needs(&["8010"]),
    Row::new("8012", X20).needs(PIECE),
    Row::new("8013", &[x_to(25).rules(&[CheckPair, Key])]).key(&[]),
    Row::new("8014", &[x_to(25).rules(&[CheckPair, Key, SomeNonDigit])]).no_attribute().needs(ONE),
    Row::new("8017", GSRN).excludes("8018").key(&[&["8019"]]),
    Row::new("8018", GSRN).excludes("8017").key(&[&["8019"]]),
    Row::new("8019", &[n_to(10)]).no_attribute().needs(PERSON),
    Row::new("8020", &[x_to(25)]).no_attribute().needs(&["415"]),
    Row::new("8026", ITIP).needs(&["37"]).excludes("02,8006"),
    Row::new("8030", &[Part::new(Set::FileSafe, 1, 90).rules(&[Base64])])
        .needs(&["00,01+21,253,255,8003,8004,8006+21,8010+8011,8017,8018"]),
    Row::new("8110", &[x_to(70).rules(&[Coupon])]),
    Row::new("8111", &[n(4)]).needs(&["255"]),
    Row::new("8112", &[x_to(70).rules(&[CouponOffer])]),
    Row::new("8200", &[x_to(70)]).no_attribute().needs(ONE),
    Row::new("90", X30),
    Row { last: (1, 9), ..Row::new("9n", &[x_to(90)]) },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_identifier_begins_another_one() {
        let digits = |ai: &str| (0..10).map(|d| ai.replace('n', &d.to_string())).collect::<Vec<_>>();
        let all: Vec<String> = TABLE.iter().flat_map(|row| digits(row.ai)).filter(|ai| find(ai).is_some()).collect();
        for ai in &all {
            for other in &all {
                assert!(ai == other || !other.starts_with(ai.as_str()), "{ai} begins {other}");
            }
        }
    }

    #[test]
    fn lengths_known_beforehand_are_those_of_the_specification() {
        // General Specifications, figure 7.8.5-2: by the first two digits.
        for row in TABLE {
            let listed =
                ["00", "01", "02", "03", "04", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "31", "32"];
            let listed = listed.iter().chain(&["33", "34", "35", "36", "41"]).any(|two| row.ai.starts_with(two));
            assert_eq!(row.fixed, listed, "{}", row.ai);
        }
    }

    #[test]
    fn what_rows_speak_of_exists() {
        for row in TABLE {
            let qualifiers = row.key.unwrap_or_default().iter().flat_map(|q| q.iter().copied());
            let named = row.needs.iter().flat_map(|need| need.split([',', '+'])).chain(row.excludes.split(','));
            for ai in named.chain(qualifiers).filter(|ai| !ai.is_empty()) {
                let one = ai.replace("nn", "00").replace('n', "0");
                assert!(find(&one).is_some(), "{} speaks of {ai}", row.ai);
            }
        }
    }
}
