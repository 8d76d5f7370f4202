//! What is different between two catalogues.

use super::product::Product;
use super::row::Row;
use crate::units::ProductId;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One product that is different.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Added {
        /// The product.
        id: ProductId,
    },
    /// It is gone.
    Removed {
        /// The product.
        id: ProductId,
    },
    /// Members of its row are others.
    Changed {
        /// The product.
        id: ProductId,
        /// By name: what it was and what it is, `null` where there was or is nothing.
        members: BTreeMap<String, [Value; 2]>,
    },
}

/// Everything that is different, by id.
pub fn diff(old: &[Product], new: &[Product]) -> Vec<Change> {
    let by_id = |products: &[Product]| -> BTreeMap<ProductId, Map<String, Value>> {
        products.iter().map(|product| (product.id.clone(), members(product))).collect()
    };
    let (old, new) = (by_id(old), by_id(new));
    let ids = old.keys().chain(new.keys().filter(|id| !old.contains_key(*id)));
    let mut changes: Vec<(ProductId, Change)> = ids
        .filter_map(|id| {
            let id = id.clone();
            let change = match (old.get(&id), new.get(&id)) {
                (Some(_), None) => Change::Removed { id: id.clone() },
                (None, _) => Change::Added { id: id.clone() },
                (Some(was), Some(is)) if was == is => return None,
                (Some(was), Some(is)) => Change::Changed { id: id.clone(), members: differences(was, is) },
            };
            Some((id, change))
        })
        .collect();
    changes.sort_by(|(a, _), (b, _)| a.cmp(b));
    changes.into_iter().map(|(_, change)| change).collect()
}

fn members(product: &Product) -> Map<String, Value> {
    match serde_json::to_value(Row::from(product)) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => Map::new(),
    }
}

fn differences(was: &Map<String, Value>, is: &Map<String, Value>) -> BTreeMap<String, [Value; 2]> {
    let names = was.keys().chain(is.keys());
    let value = |row: &Map<String, Value>, name: &String| row.get(name).cloned().unwrap_or(Value::Null);
    names
        .filter(|name| was.get(*name) != is.get(*name))
        .map(|name| (name.clone(), [value(was, name), value(is, name)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::import::parse_ndjson;
    use super::*;

    fn products(rows: &[(&str, &str, i64)]) -> Vec<Product> {
        let row = |(id, code, price): &(&str, &str, i64)| {
            format!(
                r#"{{"id":"{id}","code":"{code}","name":"x","kind":"piece","price_minor":{price},"gross_mean_g":100,"gross_sd_g":1,"mean_sd_g":1,"weight_source":"label"}}"#
            )
        };
        parse_ndjson(&rows.iter().map(row).collect::<Vec<_>>().join("\n")).unwrap()
    }

    #[test]
    fn what_came_went_and_changed_is_told_by_id() {
        let old = products(&[("a", "40084015", 100), ("b", "96385074", 100), ("c", "04011", 100)]);
        let new = products(&[("d", "4011", 100), ("b", "96385074", 120), ("a", "40084015", 100)]);
        let id = |text: &str| text.parse::<ProductId>().unwrap();
        let changed = BTreeMap::from([("price_minor".to_owned(), [Value::from(100), Value::from(120)])]);
        assert_eq!(
            diff(&old, &new),
            [
                Change::Changed { id: id("b"), members: changed },
                Change::Removed { id: id("c") },
                Change::Added { id: id("d") }
            ]
        );
    }
}
