//! The shop's products in the store: whole versions, kept one beside the other, and patches upon the latest.

use super::csv::csv_rows;
use super::database::{Database, StoreError, unreadable};
use augenmass_core::basket::codes::check_digit;
use augenmass_core::goods::import::ndjson_rows;
use augenmass_core::goods::{
    Catalogue, ImportFault, ImportFaults, Product, Row, RowFaults, assemble, parse_ndjson, patched, to_ndjson,
};
use augenmass_core::units::{ProductId, Wall};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Patches are kept beside the version they change, so that changing a price does not write the whole shop anew.
pub(super) const PATCHES: &str = "
CREATE TABLE catalogue_patch (number INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  product_id TEXT NOT NULL, row TEXT NOT NULL) STRICT;
CREATE INDEX catalogue_patch_by_version ON catalogue_patch (version, number);
";

/// Versions that stay behind the latest.
const VERSIONS_KEPT: i64 = 10;

/// How a catalogue is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogueFormat {
    /// One JSON object a line.
    Ndjson,
    /// Comma- or semicolon-separated with a header.
    Csv,
}

/// An imported catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueVersion {
    /// Counts up with each import.
    pub version: i64,
    /// SHA-256 over all that decides.
    pub hash: String,
    /// How many products.
    pub products: usize,
}

/// Which goods are in force: the version, and how many patches have been made up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoodsMark {
    version: i64,
    patches: i64,
}

/// What became of a patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Patched {
    /// The product as it is now.
    Product(Box<Product>),
    /// There is no such product.
    Unknown,
    /// Nothing was changed.
    Refused(RowFaults),
}

fn is_gtin(gtin: &str) -> bool {
    let (body, digit) = gtin.split_at(gtin.len().saturating_sub(1));
    digit == check_digit(body).to_string()
}

/// Reads a catalogue file.
///
/// # Errors
/// All faults with their lines.
pub fn read_catalogue(text: &str, format: CatalogueFormat) -> Result<Vec<Product>, ImportFaults> {
    let rows: Box<dyn Iterator<Item = (usize, Result<Row, RowFaults>)>> = match format {
        CatalogueFormat::Ndjson => Box::new(ndjson_rows(text)),
        CatalogueFormat::Csv => Box::new(csv_rows(text)),
    };
    assemble(rows, &is_gtin)
}

impl Database {
    /// Takes a catalogue, whole or not at all; earlier ones are kept.
    ///
    /// # Errors
    /// All faults of the file with their lines; SQLite's.
    pub fn import_catalogue(
        &mut self,
        text: &str,
        format: CatalogueFormat,
        now: Wall,
    ) -> Result<CatalogueVersion, StoreError> {
        let products = read_catalogue(text, format)?;
        let (count, ndjson) = (products.len(), to_ndjson(&products));
        let hash = Catalogue::new(products).hash().to_owned();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO catalogue (imported_at_ms, hash, products, ndjson) VALUES (?1, ?2, ?3, ?4)",
            params![now.ms(), hash, count as i64, ndjson],
        )?;
        let version = transaction.last_insert_rowid();
        for table in ["catalogue", "catalogue_patch"] {
            transaction
                .execute(&format!("DELETE FROM {table} WHERE version < ?1"), params![version - VERSIONS_KEPT])?;
        }
        transaction.commit()?;
        Ok(CatalogueVersion { version, hash, products: count })
    }

    /// Which goods are in force; `None` before the first import.
    ///
    /// # Errors
    /// SQLite's.
    pub fn goods_mark(&self) -> Result<Option<GoodsMark>, StoreError> {
        let Some(version) = latest(&self.connection)? else { return Ok(None) };
        let patches = self.connection.query_row(
            "SELECT coalesce(max(number), 0) FROM catalogue_patch WHERE version = ?1",
            params![version],
            |row| row.get(0),
        )?;
        Ok(Some(GoodsMark { version, patches }))
    }

    /// The catalogue in force: imported last, with its patches.
    ///
    /// # Errors
    /// SQLite's, and a catalogue that this version of the software does not take any more.
    pub fn catalogue(&self) -> Result<Option<Catalogue>, StoreError> {
        Ok(self.products(None)?.map(Catalogue::new))
    }

    /// The products of a version with its patches, of the latest by default; `None` if there is no such version.
    ///
    /// # Errors
    /// SQLite's, and a catalogue that this version of the software does not take any more.
    pub fn products(&self, version: Option<i64>) -> Result<Option<Vec<Product>>, StoreError> {
        let Some(version) = version.map_or_else(|| latest(&self.connection), |version| Ok(Some(version)))? else {
            return Ok(None);
        };
        products_of(&self.connection, version)
    }

    /// Changes members of one product of the latest version (RFC 7396).
    ///
    /// # Errors
    /// SQLite's, and rows that cannot be read.
    pub fn patch_product(
        &mut self,
        id: &ProductId,
        patch: &Map<String, Value>,
        now: Wall,
    ) -> Result<Patched, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(version) = latest(&transaction)? else { return Ok(Patched::Unknown) };
        let Some(products) = products_of(&transaction, version)? else { return Ok(Patched::Unknown) };
        let Some(old) = products.iter().find(|product| product.id == *id) else { return Ok(Patched::Unknown) };
        let product = match patched(old, patch, &is_gtin) {
            Ok(product) => product,
            Err(faults) => return Ok(Patched::Refused(faults)),
        };
        if let Some(other) = products.iter().find(|other| other.code == product.code && other.id != product.id) {
            return Ok(Patched::Refused(vec![format!("code: {} has it already", other.id)]));
        }
        keep_patch(&transaction, version, &product, now)?;
        transaction.commit()?;
        Ok(Patched::Product(Box::new(product)))
    }
}

fn latest(connection: &Connection) -> Result<Option<i64>, StoreError> {
    Ok(connection.query_row("SELECT max(version) FROM catalogue", [], |row| row.get(0))?)
}

fn keep_patch(transaction: &Transaction<'_>, version: i64, product: &Product, now: Wall) -> Result<(), StoreError> {
    let row = to_ndjson(std::slice::from_ref(product));
    transaction.execute(
        "INSERT INTO catalogue_patch (version, at_ms, product_id, row) VALUES (?1, ?2, ?3, ?4)",
        params![version, now.ms(), product.id.as_str(), row.trim_end()],
    )?;
    Ok(())
}

fn products_of(connection: &Connection, version: i64) -> Result<Option<Vec<Product>>, StoreError> {
    let ndjson: Option<String> = connection
        .query_row("SELECT ndjson FROM catalogue WHERE version = ?1", params![version], |row| row.get(0))
        .optional()?;
    let Some(ndjson) = ndjson else { return Ok(None) };
    let mut products = parse_ndjson(&ndjson)?;
    let mut query = connection.prepare_cached("SELECT row FROM catalogue_patch WHERE version = ?1 ORDER BY number")?;
    let mut rows = query.query(params![version])?;
    let places: BTreeMap<ProductId, usize> =
        products.iter().enumerate().map(|(place, product)| (product.id.clone(), place)).collect();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let unfit = |ImportFaults(faults): ImportFaults| {
            unreadable("catalogue_patch", faults.first().map_or("empty", |ImportFault { what, .. }| what.as_str()))
        };
        for product in parse_ndjson(&text).map_err(unfit)? {
            if let Some(place) = places.get(&product.id) {
                products[*place] = product;
            }
        }
    }
    Ok(Some(products))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, code: &str, price: i64) -> String {
        format!(
            r#"{{"id":"{id}","code":"{code}","name":"x","kind":"piece","price_minor":{price},"gross_mean_g":100,"gross_sd_g":1,"mean_sd_g":1,"weight_source":"label"}}"#
        )
    }

    fn patch(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_faulty_file_changes_nothing_and_the_one_before_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(folder.path()).unwrap();
        let good = [row("a", "40084015", 100), row("b", "96385074", 100)].join("\n");
        let first = database.import_catalogue(&good, CatalogueFormat::Ndjson, Wall::from_ms(1)).unwrap();
        let mark = database.goods_mark().unwrap();
        let bad = [row("a", "40084015", 100), row("b", "96385075", 100)].join("\n");
        let fault = database.import_catalogue(&bad, CatalogueFormat::Ndjson, Wall::from_ms(2)).unwrap_err();
        assert!(fault.to_string().contains("line 2: code: '96385075' has a wrong check digit"), "{fault}");
        assert_eq!(database.goods_mark().unwrap(), mark);
        let second = database.import_catalogue(&row("a", "40084015", 90), CatalogueFormat::Ndjson, Wall::from_ms(3));
        assert_eq!((second.unwrap().version, first.version), (2, 1));
        assert_eq!(database.products(None).unwrap().unwrap().len(), 1);
        assert_eq!(database.products(Some(1)).unwrap().unwrap().len(), 2);
        assert_eq!(database.products(Some(7)).unwrap(), None);
    }

    #[test]
    fn patches_hold_until_the_next_version() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = Database::open(folder.path()).unwrap();
        let (a, none): (ProductId, ProductId) = ("a".parse().unwrap(), "none".parse().unwrap());
        let now = Wall::from_ms(1);
        assert_eq!(database.patch_product(&a, &patch("{}"), now).unwrap(), Patched::Unknown);
        let file = [row("a", "40084015", 100), row("b", "96385074", 100)].join("\n");
        database.import_catalogue(&file, CatalogueFormat::Ndjson, now).unwrap();
        let mark = database.goods_mark().unwrap();
        assert!(matches!(database.patch_product(&a, &patch(r#"{"price_minor":80}"#), now), Ok(Patched::Product(_))));
        assert!(matches!(database.patch_product(&a, &patch(r#"{"net_g":90}"#), now), Ok(Patched::Product(_))));
        for bad in [r#"{"price_minor":-1}"#, r#"{"code":"96385074"}"#, r#"{"code":"40084016"}"#] {
            assert!(matches!(database.patch_product(&a, &patch(bad), now), Ok(Patched::Refused(_))), "{bad}");
        }
        assert_eq!(database.patch_product(&none, &patch("{}"), now).unwrap(), Patched::Unknown);
        assert_ne!(database.goods_mark().unwrap(), mark);
        let products = database.products(None).unwrap().unwrap();
        assert_eq!((products[0].price_minor, products[0].terms.net_g), (80, Some(90.0)));
        database.import_catalogue(&file, CatalogueFormat::Ndjson, now).unwrap();
        assert_eq!(database.products(None).unwrap().unwrap()[0].price_minor, 100);
        for _ in 0..12 {
            database.import_catalogue(&file, CatalogueFormat::Ndjson, now).unwrap();
        }
        assert_eq!(database.products(Some(2)).unwrap(), None, "old versions are let go");
    }
}
