//! What a scanned text means.

use super::fault::{CodeFault, FaultKind};
use super::gs1::{self, Element};
use super::retail::{self, Range};
use super::symbology::{self, Carrier};
use super::template::{InStorePattern, Label, TemplateKind};
use super::{Code, PrintedPrice};
use crate::units::Mass;
use serde::Serialize;
use std::collections::BTreeMap;

/// Longest text that is looked at, bytes: a Digital Link in a QR code with room to spare.
pub const CODE_MAX: usize = 1024;

/// What kind of code it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingKind {
    /// EAN-8, EAN-13, UPC-A, UPC-E or a GTIN of 14 digits.
    Gtin,
    /// A code of the store or its region; by a template if article, mass, price or pieces are known.
    InStore,
    /// GS1 element strings.
    ElementString,
    /// A GS1 Digital Link.
    DigitalLink,
    /// A price look-up code of produce.
    Plu,
    /// Newspapers, magazines and books.
    Press,
    /// A price reduction.
    Coupon,
    /// Money back.
    Voucher,
    /// A deposit that is paid.
    Deposit,
}

/// What a scanned text means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// What kind of code it is.
    pub kind: ReadingKind,
    /// The trade item as 14 digits.
    pub gtin: Option<String>,
    /// The store's own number, or that of produce, where there is one.
    pub article: Option<String>,
    /// Application identifiers with their values.
    pub ais: BTreeMap<String, String>,
    /// Net mass that the code says, grams.
    pub weight_g: Option<f64>,
    /// Price that the code says, in minor units of a currency with two decimals.
    pub price_minor: Option<i64>,
    /// Pieces that the code says.
    pub pieces: Option<u32>,
    /// Digits of an add-on, as on magazines.
    pub add_on: Option<String>,
    #[serde(skip)]
    mass: Option<Mass>,
    /// What the price is rounded to, minor units.
    #[serde(skip)]
    step_minor: i64,
}

impl Reading {
    fn plain(kind: ReadingKind) -> Self {
        Self {
            kind,
            gtin: None,
            article: None,
            ais: BTreeMap::new(),
            weight_g: None,
            price_minor: None,
            pieces: None,
            add_on: None,
            mass: None,
            step_minor: 1,
        }
    }

    /// Whether the line it makes has no mass to be found on the plate.
    pub fn is_massless(&self) -> bool {
        match self.kind {
            ReadingKind::Coupon | ReadingKind::Voucher | ReadingKind::Deposit | ReadingKind::Press => true,
            ReadingKind::Gtin
            | ReadingKind::InStore
            | ReadingKind::ElementString
            | ReadingKind::DigitalLink
            | ReadingKind::Plu => false,
        }
    }

    /// The goods it means, as the catalogue knows them; `None` if it has no mass or names no goods.
    pub fn goods(&self) -> Option<Code> {
        if self.is_massless() {
            return None;
        }
        let key = self.gtin.clone().or_else(|| self.article.clone())?;
        Some(match (self.mass, self.price_minor) {
            (Some(mass), _) => Code::Weighed { article: key, mass },
            // Of so many pieces the catalogue knows the mass.
            (None, Some(minor)) if self.pieces.is_none() => {
                Code::Priced { article: key, price: PrintedPrice { minor, step_minor: self.step_minor } }
            }
            (None, _) => Code::Gtin(key),
        })
    }

    /// The last day on which it may be sold (AI 17 or 7003), as YYMMDD with a day 00 for the whole month.
    pub fn expires(&self) -> Option<&str> {
        self.ais.get("17").map(String::as_str).or_else(|| self.ais.get("7003").and_then(|moment| moment.get(..6)))
    }

    /// What no second unit in the world has: the item with its serial number (AI 21).
    pub fn serial(&self) -> Option<(&str, &str)> {
        Some((self.gtin.as_deref()?, self.ais.get("21")?))
    }
}

/// Reads whatever a scanner gives.
///
/// # Errors
/// The first fault, with its place.
pub fn read(text: &str, templates: &[InStorePattern]) -> Result<Reading, CodeFault> {
    if text.is_empty() {
        return Err(CodeFault::new(0, FaultKind::Empty));
    }
    if text.len() > CODE_MAX {
        return Err(CodeFault::new(CODE_MAX, FaultKind::TooLong { max: CODE_MAX }));
    }
    let (carrier, data, offset) = symbology::strip(text)?;
    if data.is_empty() {
        return Err(CodeFault::new(offset, FaultKind::Empty));
    }
    match carrier {
        Carrier::Gs1 => elements(gs1::raw(data, offset)?, ReadingKind::ElementString),
        Carrier::Ean13 => ean(data, offset, 13, templates),
        Carrier::Ean8 => ean(data, offset, 8, templates),
        Carrier::AddOn => Err(CodeFault::new(offset, FaultKind::Symbology)),
        Carrier::Itf => {
            retail::digits(data, offset)?;
            if data.len() != 14 {
                return Err(CodeFault::new(offset, FaultKind::Length { length: data.len() }));
            }
            item(data, offset)
        }
        Carrier::Plain | Carrier::Unknown => untold(data, offset, templates),
    }
}

/// Data that nobody has said the kind of.
fn untold(data: &str, offset: usize, templates: &[InStorePattern]) -> Result<Reading, CodeFault> {
    let bytes = data.as_bytes();
    if gs1::looks_like_a_link(data) {
        return elements(gs1::digital_link(data, offset)?, ReadingKind::DigitalLink);
    }
    if bytes[0] == b'(' {
        let shifted = |fault: CodeFault| CodeFault::new(offset + fault.at, fault.kind);
        return elements(gs1::bracketed(data).map_err(shifted)?, ReadingKind::ElementString);
    }
    if let Some(reading) = by_template(data, offset, templates) {
        return reading;
    }
    if bytes.iter().any(|byte| matches!(byte, 0x1D | b'^')) {
        return elements(gs1::raw(data, offset)?, ReadingKind::ElementString);
    }
    if let Some((main, add_on)) = split_add_on(data) {
        let mut reading = item(main, offset)?;
        reading.add_on = Some(add_on.to_owned());
        return Ok(reading);
    }
    // Without a word of its kind an element string is believed only if it begins with the item or the unit it is about.
    if data.len() > 15 && ["00", "01", "02", "03"].iter().any(|ai| data.starts_with(ai)) {
        return elements(gs1::raw(data, offset)?, ReadingKind::ElementString);
    }
    retail::digits(data, offset)?;
    match data.len() {
        4 | 5 if retail::is_plu(data) => {
            Ok(Reading { article: Some(format!("{data:0>5}")), ..Reading::plain(ReadingKind::Plu) })
        }
        8 => eight(data, offset, templates),
        12..=14 => item(data, offset),
        length => Err(CodeFault::new(offset, FaultKind::Length { length })),
    }
}

/// Eight digits are an EAN-8 or a UPC-E. A zero in front means UPC-E where its own check digit fits: an EAN-8 that begins with zero is
/// a number of the store's own, and those are rare.
fn eight(data: &str, offset: usize, templates: &[InStorePattern]) -> Result<Reading, CodeFault> {
    let expanded = retail::expand_upc_e(data);
    let is_ean = retail::checked(data, offset);
    match expanded {
        Some(long) if data.starts_with('0') || is_ean.is_err() => {
            by_template(&long, offset, templates).unwrap_or_else(|| item(&long, offset))
        }
        Some(_) | None => item(data, offset),
    }
}

/// EAN as the symbology identifier promises it; behind a bar the data of a composite component, or an add-on.
fn ean(data: &str, offset: usize, length: usize, templates: &[InStorePattern]) -> Result<Reading, CodeFault> {
    let (main, composite) = match data.split_once("|]e0") {
        Some((main, component)) => (main, Some((component, offset + main.len() + 4))),
        None => (data, None),
    };
    retail::digits(main, offset)?;
    let (main, add_on) = match (main.len() - length.min(main.len()), length) {
        (2 | 5, 13) => (&main[..13], Some(main[13..].to_owned())),
        _ => (main, None),
    };
    if main.len() != length {
        return Err(CodeFault::new(offset, FaultKind::Length { length: main.len() }));
    }
    retail::checked(main, offset)?;
    let mut reading = match by_template(main, offset, templates) {
        Some(reading) => reading?,
        None => item(main, offset)?,
    };
    reading.add_on = add_on;
    let Some((component, at)) = composite else { return Ok(reading) };
    if component.is_empty() {
        return Err(CodeFault::new(at, FaultKind::Empty));
    }
    let gtin = Element { ai: "01".to_owned(), value: format!("{main:0>14}"), at: offset };
    let found = std::iter::once(gtin).chain(gs1::raw(component, at)?).collect();
    elements(found, ReadingKind::ElementString)
}

/// Thirteen digits of press with two or five more, a space between them or none.
fn split_add_on(data: &str) -> Option<(&str, &str)> {
    let (main, rest) = data.split_at_checked(13)?;
    let add_on = rest.strip_prefix(' ').unwrap_or(rest);
    let fits = matches!(add_on.len(), 2 | 5)
        && data.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ')
        && ["977", "978", "979"].iter().any(|prefix| main.starts_with(prefix));
    fits.then_some((main, add_on))
}

/// Digits with a check digit: 8, 12, 13 or 14.
fn item(data: &str, offset: usize) -> Result<Reading, CodeFault> {
    retail::digits(data, offset)?;
    retail::checked(data, offset)?;
    let gtin = format!("{data:0>14}");
    Ok(match retail::range(&gtin) {
        Range::Item => Reading { gtin: Some(gtin), ..Reading::plain(ReadingKind::Gtin) },
        Range::Press => Reading { gtin: Some(gtin), ..Reading::plain(ReadingKind::Press) },
        // Numbers of the store name no item in the world, but may name one in its catalogue.
        Range::Restricted => Reading { article: Some(gtin), ..Reading::plain(ReadingKind::InStore) },
        Range::Refund => Reading::plain(ReadingKind::Voucher),
        Range::Coupon => Reading::plain(ReadingKind::Coupon),
    })
}

/// By the first template that fits. A template of twelve digits also reads them with the zero that makes a UPC-A an EAN-13.
fn by_template(data: &str, offset: usize, templates: &[InStorePattern]) -> Option<Result<Reading, CodeFault>> {
    let short = data.strip_prefix('0').filter(|short| short.len() == 12);
    templates
        .iter()
        .find_map(|template| {
            let place = |more: usize| move |fault: CodeFault| CodeFault::new(offset + more + fault.at, fault.kind);
            let whole = template.read(data).map(|label| label.map_err(place(0)));
            whole.or_else(|| short.and_then(|short| template.read(short)).map(|label| label.map_err(place(1))))
        })
        .map(|label| label.map(of_label))
}

fn of_label(label: Label) -> Reading {
    let kind = match label.kind {
        TemplateKind::Item => ReadingKind::InStore,
        TemplateKind::Deposit => ReadingKind::Deposit,
        TemplateKind::Voucher => ReadingKind::Voucher,
        TemplateKind::Coupon => ReadingKind::Coupon,
        TemplateKind::Press => ReadingKind::Press,
    };
    let named = Some(label.article).filter(|article| !article.is_empty());
    let (gtin, article) = if label.is_gtin { (named, None) } else { (None, named) };
    Reading {
        gtin,
        article,
        weight_g: label.mass.map(Mass::g),
        mass: label.mass,
        price_minor: label.price_minor,
        step_minor: label.step_minor,
        pieces: label.pieces,
        ..Reading::plain(kind)
    }
}

fn elements(found: Vec<Element>, kind: ReadingKind) -> Result<Reading, CodeFault> {
    let ais: BTreeMap<String, String> = found.into_iter().map(|element| (element.ai, element.value)).collect();
    let is_coupon = ["255", "8110", "8112"].iter().any(|ai| ais.contains_key(*ai));
    let mass = net_mass(&ais);
    let whole = |ai: &str| ais.get(ai).and_then(|digits| digits.parse().ok());
    let gtin = ["01", "03"].iter().find_map(|ai| ais.get(*ai)).cloned();
    let range = gtin.as_deref().map(retail::range);
    let kind = match range {
        _ if is_coupon => ReadingKind::Coupon,
        Some(Range::Press) => ReadingKind::Press,
        Some(Range::Item | Range::Restricted | Range::Refund | Range::Coupon) | None => kind,
    };
    Ok(Reading {
        gtin: gtin.or_else(|| ais.get("8006").and_then(|itip| itip.get(..14)).map(str::to_owned)),
        weight_g: mass.map(Mass::g),
        mass,
        price_minor: price_minor(&ais).map(|(minor, _)| minor),
        step_minor: price_minor(&ais).map_or(1, |(_, step)| step),
        pieces: whole("30").or_else(|| whole("37")),
        ais,
        ..Reading::plain(kind)
    })
}

/// Net mass in milligrams: kilograms (310n), pounds (320n) or troy ounces (356n) with n decimals.
fn net_mass(ais: &BTreeMap<String, String>) -> Option<Mass> {
    // Micrograms in one unit; the avoirdupois pound is 453.59237 g, the troy ounce 31.1034768 g.
    const UNITS: [(&str, i128); 3] = [("310", 1_000_000_000), ("320", 453_592_370), ("356", 31_103_477)];
    UNITS.iter().find_map(|(family, micrograms)| {
        let (ai, digits) = ais.iter().find(|(ai, _)| ai.starts_with(family) && ai.len() == 4)?;
        let decimals = u32::from(ai.as_bytes()[3] - b'0');
        let value: i128 = digits.parse().ok()?;
        let divisor = 10i128.pow(decimals) * 1000;
        i64::try_from((value * micrograms + divisor / 2) / divisor).ok().map(Mass::from_mg)
    })
}

/// Amount payable (392n, or 393n behind its currency) with n decimals, in hundredths, and what it is rounded to.
fn price_minor(ais: &BTreeMap<String, String>) -> Option<(i64, i64)> {
    let (ai, value) = ais.iter().find(|(ai, _)| ai.len() == 4 && (ai.starts_with("392") || ai.starts_with("393")))?;
    let digits = if ai.starts_with("393") { value.get(3..)? } else { value };
    let decimals = u32::from(ai.as_bytes()[3] - b'0');
    let amount: i128 = digits.parse().ok()?;
    let divisor = 10i128.pow(decimals);
    let minor = i64::try_from((amount * 100 + divisor / 2) / divisor).ok()?;
    Some((minor, i64::try_from((100 / divisor).max(1)).unwrap_or(1)))
}
