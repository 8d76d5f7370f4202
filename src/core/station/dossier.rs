//! What lies behind a validation, for staff: its list with names, masses and prices, as the next attempt would be judged by it.

use super::ledger::Kept;
use crate::basket::{Bags, Code, Container, Line};
use crate::goods::{Catalogue, Kind, Product};
use crate::units::{BasketId, ProductId, ValidationId};
use serde::Serialize;

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DossierLine {
    /// As it was scanned.
    #[serde(flatten)]
    pub line: Line,
    /// The product; `null` if the catalogue does not know it, or the line is one of money.
    pub product_id: Option<ProductId>,
    /// Its name.
    pub name: Option<String>,
    /// What the line should weigh, grams; `null` if nobody knows.
    pub expected_g: Option<f64>,
    /// What the line costs, minor units; `null` if nobody knows.
    pub price_minor: Option<i64>,
    /// Youngest age of a buyer, years.
    pub age_limit: Option<u8>,
    /// Whether the line has a mass at all: deposits, vouchers, coupons and press have none.
    pub has_mass: bool,
}

/// A list as staff sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dossier {
    /// The validation.
    pub validation_id: ValidationId,
    /// The basket.
    pub basket_id: BasketId,
    /// Which revision of the list.
    pub revision: u64,
    /// What the goods lie in.
    pub containers: Vec<Container>,
    /// Own bags.
    pub bags: Bags,
    /// What was scanned, in its order.
    pub lines: Vec<DossierLine>,
    /// What the goods whose price is known cost together, minor units.
    pub value_minor: i64,
    /// Youngest age of a buyer of all of it.
    pub age_limit: Option<u8>,
}

impl Dossier {
    /// Of a list by what is known of its goods.
    pub fn new(validation_id: &ValidationId, basket_id: &BasketId, kept: &Kept, catalogue: &Catalogue) -> Self {
        let goods = kept.checked.goods.lines.iter().zip(&kept.checked.codes);
        let mut goods = goods.peekable();
        let mut lines = Vec::with_capacity(kept.basket.lines.len());
        for line in &kept.basket.lines {
            // Lines of money were left out of the checked list; the rest stands in it in the same order.
            let known = goods.next_if(|(good, _)| *good == line).map(|(_, code)| code);
            lines.push(DossierLine::new(line, known, catalogue));
        }
        Self {
            validation_id: validation_id.clone(),
            basket_id: basket_id.clone(),
            revision: kept.basket.revision,
            containers: kept.basket.containers.clone(),
            bags: kept.basket.bags,
            value_minor: lines.iter().filter_map(|line| line.price_minor).fold(0, i64::saturating_add),
            age_limit: lines.iter().filter_map(|line| line.age_limit).max(),
            lines,
        }
    }
}

impl DossierLine {
    fn new(line: &Line, known: Option<&(Code, u32)>, catalogue: &Catalogue) -> Self {
        let product = known.and_then(|(code, _)| catalogue.find_code(code.key())).map(|at| &catalogue.products()[at]);
        Self {
            line: line.clone(),
            product_id: product.map(|product| product.id.clone()),
            name: product.map(|product| product.name.clone()),
            expected_g: known.and_then(|(code, units)| expected_g(code, *units, product)),
            price_minor: known.zip(product).map(|((code, units), product)| price_minor(code, *units, product)),
            age_limit: product.and_then(|product| product.terms.age_limit),
            has_mass: known.is_some(),
        }
    }
}

fn expected_g(code: &Code, units: u32, product: Option<&Product>) -> Option<f64> {
    let each_g = match code {
        Code::Weighed { mass, .. } => mass.g(),
        Code::Priced { price, .. } if product?.kind == Kind::Weighed => {
            product?.mass_of_price(price.minor, price.step_minor)?.0
        }
        Code::Priced { .. } | Code::Gtin(_) => product?.weight.mean_g,
    };
    Some((each_g * f64::from(units) * 10.0).round() / 10.0)
}

fn price_minor(code: &Code, units: u32, product: &Product) -> i64 {
    let each = match (code, product.kind, product.terms.price_per_kg_minor) {
        (Code::Weighed { mass, .. }, Kind::Weighed, Some(per_kg)) => (mass.g() / 1000.0 * per_kg as f64).round() as i64,
        (Code::Priced { price, .. }, _, _) => price.minor,
        (Code::Weighed { .. } | Code::Gtin(_), Kind::Piece | Kind::Varying | Kind::Weighed, _) => product.price_minor,
    };
    each.saturating_mul(i64::from(units))
}
