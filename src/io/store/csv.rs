//! Catalogues as CSV: a header with the names of columns, a row a product. Commas, or semicolons with decimal commas, as spreadsheets write
//! them here.

use augenmass_core::goods::row::NUMBERS;
use augenmass_core::goods::{Row, RowFaults};
use csv::{Position, ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

/// The rows of a CSV file with their lines. A cell that is empty is not there.
pub fn csv_rows(text: &str) -> impl Iterator<Item = (usize, Result<Row, RowFaults>)> {
    let text = text.trim_start_matches('\u{feff}');
    let header = text.lines().next().unwrap_or_default();
    let semicolons = header.matches(';').count() > header.matches(',').count();
    let delimiter = if semicolons { b';' } else { b',' };
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(false).from_reader(text.as_bytes());
    let columns = reader.headers().cloned().unwrap_or_default();
    reader.into_records().map(move |record| match record {
        Ok(record) => (line(text, record.position()), row(&columns, &record, semicolons)),
        Err(error) => (line(text, error.position()), Err(vec![error.to_string()])),
    })
}

/// The line on which a record begins: the reader's place is before the blank lines that it passes over.
fn line(text: &str, position: Option<&Position>) -> usize {
    let Some(position) = position else { return 1 };
    let rest = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).filter(|byte| **byte == b'\n').count();
    position.line() as usize + blank
}

fn row(columns: &StringRecord, record: &StringRecord, decimal_comma: bool) -> Result<Row, RowFaults> {
    let (mut members, mut faults) = (Map::new(), Vec::new());
    for (column, cell) in columns.iter().zip(record) {
        let (column, cell) = (column.trim(), cell.trim());
        if cell.is_empty() {
            continue;
        }
        let value = if NUMBERS.contains(&column) {
            let point = if decimal_comma { cell.replace(',', ".") } else { cell.to_owned() };
            match serde_json::from_str::<Value>(&point) {
                Ok(number @ Value::Number(_)) => number,
                Ok(_) | Err(_) => {
                    faults.push(format!("{column}: '{cell}' is no number"));
                    continue;
                }
            }
        } else {
            Value::String(cell.to_owned())
        };
        members.insert(column.to_owned(), value);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| vec![error.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::goods::{assemble, parse_ndjson, to_ndjson};

    const SHEET: &str = "\u{feff}id;code;name;kind;price_minor;net_g;gross_mean_g;gross_sd_g;mean_sd_g;weight_source;age_limit\n\
        wine;4006381333931;\"Wein; rot\";piece;499;750;1250,5;12,5;4;label;16\n\
        \n\
        roll;4011;Brötchen;varying;35;;62;5;1;seeded;\n";

    #[test]
    fn a_sheet_and_lines_of_json_are_the_same() {
        let products = assemble(csv_rows(SHEET), &|_| true).unwrap();
        assert_eq!((products[0].name.as_str(), products[0].weight.mean_g), ("Wein; rot", 1250.5));
        assert_eq!((products[1].code.as_str(), products[1].terms.net_g), ("4011", None));
        assert_eq!(parse_ndjson(&to_ndjson(&products)).unwrap(), products);
        let commas = SHEET.replace("Wein; rot", "Wein rot").replace(',', ".").replace(';', ",");
        assert_eq!(assemble(csv_rows(&commas), &|_| true).unwrap()[0].weight.mean_g, 1250.5);
    }

    #[test]
    fn faults_are_told_by_the_line_of_the_sheet() {
        let bad = SHEET.replace("1250,5", "heavy").replace("varying", "various");
        let faults = assemble(csv_rows(&bad), &|_| true).unwrap_err().0;
        let told: Vec<(usize, &str)> = faults.iter().map(|fault| (fault.line, fault.what.as_str())).collect();
        assert_eq!(told[0], (2, "gross_mean_g: 'heavy' is no number"));
        assert_eq!(told[1].0, 4);
        let short = SHEET.replace(";seeded;", ";seeded");
        assert_eq!(assemble(csv_rows(&short), &|_| true).unwrap_err().0[0].line, 4);
    }
}
