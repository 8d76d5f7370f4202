//! The whole list as an app or handheld sends it, checked once and then trusted.

use super::codes::{self, Code, CodeFault, InStorePattern, Reading};
use crate::units::Wall;
use serde::{Deserialize, Serialize};

/// Most lines of one basket.
pub const LINES_MAX: usize = 500;
/// Most units of one line.
pub const QUANTITY_MAX: u32 = 999;
/// Most containers of one basket.
pub const CONTAINERS_MAX: usize = 4;
/// Most own bags of one basket.
pub const BAGS_MAX: u32 = 20;
/// Heaviest declared weight of all own bags together, grams.
pub const BAGS_MAX_G: f64 = 5000.0;

/// Who sent the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The shopper's own phone.
    App,
    /// A scanner lent by the store.
    Handheld,
}

/// What the goods lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainerKind {
    /// A shopping trolley.
    Trolley,
    /// A hand basket.
    Basket,
    /// Goods right on the plate.
    None,
}

impl ContainerKind {
    /// As in the station file and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trolley => "trolley",
            Self::Basket => "basket",
            Self::None => "none",
        }
    }
}

/// One container of the visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// What it is.
    pub kind: ContainerKind,
    /// Which one it is, where the store marks them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The shopper's own bags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bags {
    /// How many.
    pub count: u32,
    /// What they weigh together in grams, where the shopper or the store knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grams: Option<f64>,
}

/// What is known of the shopper: nothing that names a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shopper {
    /// A name that means nothing outside the store's own system.
    pub pseudonym: String,
    /// Whether this is the first visit with scan-and-go.
    #[serde(default)]
    pub first_visit: bool,
}

/// One scanned line as sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The code as scanned.
    pub code: String,
    /// How many units; two portions with the same weight label are two.
    pub quantity: u32,
    /// When it was scanned, RFC 3339; kept for staff, decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanned_at: Option<String>,
}

/// The whole list of one basket at one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basket {
    /// Counts up with each change of the list.
    pub revision: u64,
    /// Who sent it.
    pub source: Source,
    /// What the goods lie in.
    #[serde(default)]
    pub containers: Vec<Container>,
    /// Own bags.
    #[serde(default)]
    pub bags: Bags,
    /// The shopper, if the store's system says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shopper: Option<Shopper>,
    /// What was scanned.
    pub lines: Vec<Line>,
}

/// One thing wrong with a list, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BasketFault {
    /// A code that is none.
    #[error("lines[{line}].code: {fault}")]
    Code {
        /// Index of the line.
        line: usize,
        /// What is wrong with it.
        fault: CodeFault,
    },
    /// A quantity that no basket has.
    #[error("lines[{line}].quantity: {quantity} is outside 1..={QUANTITY_MAX}")]
    Quantity {
        /// Index of the line.
        line: usize,
        /// What was sent.
        quantity: u32,
    },
    /// A code that is understood but names no goods and is no line of money either.
    #[error("lines[{line}].code: it names no article")]
    NoArticle {
        /// Index of the line.
        line: usize,
    },
    /// The last day of sale is over.
    #[error("lines[{line}].code: expired, {date}")]
    Expired {
        /// Index of the line.
        line: usize,
        /// YYMMDD as in the code.
        date: String,
    },
    /// The same serial number a second time: it was scanned twice, or somebody copied it.
    #[error("lines[{line}].code: the serial number stands in lines[{first}] already")]
    SameSerial {
        /// Index of the line.
        line: usize,
        /// Index of the line that had it first; the same line if its quantity is more than one.
        first: usize,
    },
    /// More than any basket holds.
    #[error("{what}: more than {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// A weight of bags that bags do not have.
    #[error("bags.grams: outside 0..={BAGS_MAX_G}, or given without a bag")]
    BagGrams,
    /// A text that is longer than anything meaningful.
    #[error("{what}: 1 to 64 characters")]
    Text {
        /// Which field.
        what: &'static str,
    },
}

/// The day by which last days of sale are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Today {
    year: i16,
    month: i8,
    day: i8,
}

/// So much is the day of the westernmost shop behind the day in Greenwich, milliseconds: goods are not called expired too early.
const BEHIND_MS: i64 = 12 * 3_600_000;

impl Today {
    /// The day at a moment, as late as it begins anywhere.
    pub fn of(now: Wall) -> Self {
        let moment = jiff::Timestamp::from_millisecond(now.ms().saturating_sub(BEHIND_MS))
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let date = moment.to_zoned(jiff::tz::TimeZone::UTC).date();
        Self { year: date.year(), month: date.month(), day: date.day() }
    }

    /// Whether a last day YYMMDD is over; day 00 is the end of the month. The century is the one that brings the year within 49 years
    /// ahead and 50 back (General Specifications 7.12).
    pub fn is_after(self, yymmdd: &str) -> bool {
        let part = |range: std::ops::Range<usize>| yymmdd.get(range).and_then(|digits| digits.parse::<i16>().ok());
        let (Some(year), Some(month), Some(day)) = (part(0..2), part(2..4), part(4..6)) else { return false };
        let century = self.year - self.year % 100;
        let year = match year - self.year % 100 {
            51.. => century - 100 + year,
            ..=-50 => century + 100 + year,
            _ => century + year,
        };
        let day = if day == 0 { 31 } else { day };
        (year, month, day) < (self.year, i16::from(self.month), i16::from(self.day))
    }
}

/// A list that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The list with the lines alone that have a mass: no deposits, vouchers, coupons and press.
    pub goods: Basket,
    /// What the codes of those lines mean, line by line, with the quantity in units of the article.
    pub codes: Vec<(Code, u32)>,
}

impl Basket {
    /// Checks everything and reads the codes.
    ///
    /// # Errors
    /// All faults at once, in the order of the list.
    pub fn check(&self, patterns: &[InStorePattern], today: Today) -> Result<Checked, Vec<BasketFault>> {
        let mut faults = self.check_frame();
        let mut serials: Vec<((String, String), usize)> = Vec::new();
        let (mut goods, mut codes) = (Vec::new(), Vec::new());
        for (line, sent) in self.lines.iter().enumerate().take(LINES_MAX) {
            if !(1..=QUANTITY_MAX).contains(&sent.quantity) {
                faults.push(BasketFault::Quantity { line, quantity: sent.quantity });
            }
            let reading = match codes::read(&sent.code, patterns) {
                Ok(reading) => reading,
                Err(fault) => {
                    faults.push(BasketFault::Code { line, fault });
                    continue;
                }
            };
            faults.extend(check_line(line, sent.quantity, &reading, today, &mut serials));
            if reading.is_massless() {
                continue;
            }
            let Some(code) = reading.goods() else {
                faults.push(BasketFault::NoArticle { line });
                continue;
            };
            let quantity = sent.quantity.saturating_mul(reading.pieces.unwrap_or(1));
            if quantity > QUANTITY_MAX && sent.quantity <= QUANTITY_MAX {
                faults.push(BasketFault::Quantity { line, quantity });
            }
            goods.push(sent.clone());
            codes.push((code, quantity));
        }
        if faults.is_empty() {
            Ok(Checked { goods: Self { lines: goods, ..self.clone() }, codes })
        } else {
            Err(faults)
        }
    }

    fn check_frame(&self) -> Vec<BasketFault> {
        let mut faults = Vec::new();
        if self.lines.len() > LINES_MAX {
            faults.push(BasketFault::TooMany { what: "lines", max: LINES_MAX });
        }
        if self.containers.len() > CONTAINERS_MAX {
            faults.push(BasketFault::TooMany { what: "containers", max: CONTAINERS_MAX });
        }
        if self.bags.count > BAGS_MAX {
            faults.push(BasketFault::TooMany { what: "bags.count", max: BAGS_MAX as usize });
        }
        if let Some(grams) = self.bags.grams
            && (!(0.0..=BAGS_MAX_G).contains(&grams) || self.bags.count == 0)
        {
            faults.push(BasketFault::BagGrams);
        }
        let short = |text: &str| (1..=64).contains(&text.chars().count());
        if self.containers.iter().filter_map(|c| c.id.as_deref()).any(|id| !short(id)) {
            faults.push(BasketFault::Text { what: "containers[].id" });
        }
        if self.shopper.as_ref().is_some_and(|s| !short(&s.pseudonym)) {
            faults.push(BasketFault::Text { what: "shopper.pseudonym" });
        }
        if self.lines.iter().filter_map(|l| l.scanned_at.as_deref()).any(|at| !short(at)) {
            faults.push(BasketFault::Text { what: "lines[].scanned_at" });
        }
        faults
    }
}

fn check_line(
    line: usize,
    quantity: u32,
    reading: &Reading,
    today: Today,
    serials: &mut Vec<((String, String), usize)>,
) -> Vec<BasketFault> {
    let mut faults = Vec::new();
    if let Some(date) = reading.expires().filter(|date| today.is_after(date)) {
        faults.push(BasketFault::Expired { line, date: date.to_owned() });
    }
    if let Some((gtin, serial)) = reading.serial() {
        let serial = (gtin.to_owned(), serial.to_owned());
        match serials.iter().find(|(known, _)| *known == serial) {
            Some((_, first)) => faults.push(BasketFault::SameSerial { line, first: *first }),
            None if quantity > 1 => faults.push(BasketFault::SameSerial { line, first: line }),
            None => {}
        }
        serials.push((serial, line));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basket(lines: Vec<(&str, u32)>) -> Basket {
        Basket {
            revision: 1,
            source: Source::App,
            containers: vec![Container { kind: ContainerKind::Basket, id: None }],
            bags: Bags::default(),
            shopper: None,
            lines: lines
                .into_iter()
                .map(|(code, quantity)| Line { code: code.to_owned(), quantity, scanned_at: None })
                .collect(),
        }
    }

    /// 2026-11-21T18:00:00Z.
    fn today() -> Today {
        Today::of(Wall::from_ms(1_795_284_000_000))
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut bad = basket(vec![("4006381333931", 0), ("nonsense", 1), ("4006381333931", 1000)]);
        bad.bags = Bags { count: 0, grams: Some(100.0) };
        let faults = bad.check(&[], today()).unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:?}");
        assert_eq!(faults[0], BasketFault::BagGrams);
        assert_eq!(faults[1].to_string(), "lines[0].quantity: 0 is outside 1..=999");
        assert_eq!(faults[2].to_string(), "lines[1].code: not a digit, and no other known form of a code");
    }

    #[test]
    fn absurd_bags_are_refused() {
        for grams in [f64::NAN, -1.0, 1e9] {
            let mut bad = basket(vec![]);
            bad.bags = Bags { count: 1, grams: Some(grams) };
            assert_eq!(bad.check(&[], today()), Err(vec![BasketFault::BagGrams]));
        }
    }

    #[test]
    fn a_last_day_holds_until_its_end_everywhere() {
        let today = today();
        assert_eq!(today, Today { year: 2026, month: 11, day: 21 });
        for (date, over) in [
            ("261120", true),
            ("261121", false),
            ("261100", false),
            ("261000", true),
            ("771231", true),
            ("751231", false),
        ] {
            assert_eq!(today.is_after(date), over, "{date}");
        }
        // Four hours into the 22nd in Greenwich it is still the 21st in the west.
        let night = Today::of(Wall::from_ms(1_795_284_000_000 + 10 * 3_600_000));
        assert!(!night.is_after("261121"));
    }

    #[test]
    fn an_expired_article_and_a_serial_number_that_is_there_twice_are_faults() {
        let mut list = basket(vec![
            ("(01)09521234543213(17)261120", 1),
            ("(01)09521234543213(21)A1", 1),
            ("https://id.gs1.org/01/09521234543213/21/A1?17=261231", 1),
            ("(01)09521234543213(21)B2", 2),
        ]);
        assert_eq!(
            list.check(&[], today()).unwrap_err(),
            [
                BasketFault::Expired { line: 0, date: "261120".to_owned() },
                BasketFault::SameSerial { line: 2, first: 1 },
                BasketFault::SameSerial { line: 3, first: 3 }
            ]
        );
        list.lines.truncate(2);
        list.lines[0].code = "(01)09521234543213(17)261121(21)B2".to_owned();
        assert_eq!(list.check(&[], today()).unwrap().codes.len(), 2);
    }

    #[test]
    fn lines_of_money_are_kept_apart_from_goods() {
        let templates = ["deposit 24_____PPPPPC", "25IIIII_NNNNC", "voucher 26_____PPPPPC"];
        let templates: Vec<InStorePattern> =
            templates.into_iter().map(|text| InStorePattern::try_from(text.to_owned()).unwrap()).collect();
        let with_check = |body: &str| format!("{body}{}", codes::check_digit(body));
        let list = [
            with_check("240000000025"),
            "4006381333931".to_owned(),
            with_check("251234500004"),
            with_check("260000000310"),
            "9771234567003".to_owned(),
            "(255)9521234500001".to_owned(),
            "4011".to_owned(),
            "(01)94006381333934(3103)000250(3922)599".to_owned(),
        ];
        let checked = basket(list.iter().map(|code| (code.as_str(), 2)).collect()).check(&templates, today());
        let checked = match checked {
            Ok(checked) => checked,
            Err(faults) => panic!("{faults:?}"),
        };
        let kept: Vec<&str> = checked.goods.lines.iter().map(|line| line.code.as_str()).collect();
        assert_eq!(kept, [&list[1], &list[2], &list[6], &list[7]]);
        assert_eq!(
            checked.codes,
            [
                (Code::Gtin("04006381333931".to_owned()), 2),
                (Code::Gtin("12345".to_owned()), 8),
                (Code::Gtin("04011".to_owned()), 2),
                (Code::Weighed { article: "94006381333934".to_owned(), mass: crate::units::Mass::from_mg(250_000) }, 2),
            ]
        );
    }

    #[test]
    fn a_code_that_names_no_article_is_refused() {
        let bad = basket(vec![("(00)123456789012345675", 1)]);
        assert_eq!(bad.check(&[], today()), Err(vec![BasketFault::NoArticle { line: 0 }]));
    }
}
