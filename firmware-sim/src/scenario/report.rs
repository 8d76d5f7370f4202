//! One line a visit, for people and for machines.

use serde_json::json;

use super::play::VisitReport;

const TRUTH_WIDTH: usize = 46;
const VERDICT_WIDTH: usize = 20;
const FINDING_WIDTH: usize = 46;

/// The table's head, for people.
pub fn heading() -> String {
    let (truth, verdict, finding) = ("what is true", "verdict", "first finding");
    format!("{:>3}  {truth:TRUTH_WIDTH$}  {verdict:VERDICT_WIDTH$}  {finding:FINDING_WIDTH$}  {:>6}", "#", "s")
}

/// One visit: as a row of the table, or (`as_json`) as one JSON object.
pub fn line(report: &VisitReport, as_json: bool) -> String {
    if as_json { object(report).to_string() } else { row(report) }
}

fn row(report: &VisitReport) -> String {
    let truth = cut(&report.truth, TRUTH_WIDTH);
    let verdict = cut(&report.attempts.join(", "), VERDICT_WIDTH);
    let finding = cut(report.trouble.as_deref().or(report.finding.as_deref()).unwrap_or("-"), FINDING_WIDTH);
    let seconds = report.elapsed_ms.map_or_else(|| "-".to_owned(), |ms| format!("{:.2}", ms as f64 / 1000.0));
    let mark =
        if report.as_expected() { "✓".to_owned() } else { format!("✗ expected {}", report.expected.join(", ")) };
    format!(
        "{:>3}  {truth:TRUTH_WIDTH$}  {verdict:VERDICT_WIDTH$}  {finding:FINDING_WIDTH$}  {seconds:>6}  {mark}",
        report.shopper
    )
}

fn object(report: &VisitReport) -> serde_json::Value {
    json!({
        "shopper": report.shopper,
        "truth": report.truth,
        "items": report.items,
        "outcome": report.attempts.last(),
        "passed": report.passed,
        "expected": report.expected.last(),
        "as_expected": report.as_expected(),
        "attempts": report.attempts,
        "finding": report.finding,
        "elapsed_ms": report.elapsed_ms,
        "trouble": report.trouble,
    })
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> VisitReport {
        VisitReport {
            shopper: 3,
            truth: "unscanned: Butter 250 g".into(),
            items: 6,
            attempts: vec!["correct".into()],
            expected: vec!["correct".into()],
            passed: false,
            finding: Some("unscanned: Butter 250 g, 252 g".into()),
            elapsed_ms: Some(870),
            trouble: None,
        }
    }

    #[test]
    fn one_object_a_visit() {
        let object: serde_json::Value = serde_json::from_str(&line(&report(), true)).unwrap();
        assert_eq!(object["shopper"], 3);
        assert_eq!(object["outcome"], "correct");
        assert_eq!(object["passed"], false);
        assert_eq!(object["finding"], "unscanned: Butter 250 g, 252 g");
        assert_eq!(object["elapsed_ms"], 870);
    }

    #[test]
    fn rows_are_aligned_and_say_what_was_expected() {
        let good = line(&report(), false);
        let mut bad = report();
        bad.truth = "honest, a very long story that does not fit into the column at all".into();
        bad.expected = vec!["pass".into()];
        let bad = line(&bad, false);
        let column = |row: &str| row.chars().position(|letter| letter == '✓' || letter == '✗').unwrap();
        assert_eq!(column(&good), column(&bad));
        assert!(bad.ends_with("✗ expected pass"));
        assert!(heading().chars().count() < column(&good));
    }
}
