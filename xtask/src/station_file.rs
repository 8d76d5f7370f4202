//! A copy of a station file with another place and other ports; comments and all else stay.

use anyhow::{Result, bail};

/// Exchanges single values of a TOML text, found by section and key.
pub struct StationFile {
    lines: Vec<String>,
}

impl StationFile {
    /// Takes the text as it is.
    pub fn new(text: &str) -> Self {
        Self { lines: text.lines().map(str::to_owned).collect() }
    }

    /// Puts `value` in the place of the text at `key` in the first section `[section]` or `[[section]]`.
    ///
    /// # Errors
    /// When there is no such text, or `value` cannot stand between quotes.
    pub fn set(&mut self, section: &str, key: &str, value: &str) -> Result<()> {
        if value.contains(['"', '\\', '\n']) {
            bail!("{value} cannot stand in a station file");
        }
        let line = self.find(section, key)?;
        let (head, tail) = (line.find('"'), line.rfind('"'));
        let (Some(head), Some(tail)) = (head, tail.filter(|tail| Some(*tail) != head)) else {
            bail!("[{section}] {key} is no text");
        };
        // A quotation mark in the comment would be the last one; the value's own end comes first.
        let tail = line[head + 1..].find('"').map_or(tail, |length| head + 1 + length);
        *line = format!("{}\"{value}\"{}", &line[..head], &line[tail + 1..]);
        Ok(())
    }

    /// The text at `key` in the first section of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn get(&mut self, section: &str, key: &str) -> Result<String> {
        let line = self.find(section, key)?;
        match line.split('"').nth(1) {
            Some(value) => Ok(value.to_owned()),
            None => bail!("[{section}] {key} is no text"),
        }
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    fn find(&mut self, section: &str, key: &str) -> Result<&mut String> {
        let heads = [format!("[{section}]"), format!("[[{section}]]")];
        let is_head = |line: &str| line.trim_start().starts_with('[');
        let begins = |line: &str| heads.iter().any(|head| line.trim_start().starts_with(head.as_str()));
        let Some(start) = self.lines.iter().position(|line| begins(line)) else {
            bail!("the station file has no section [{section}]");
        };
        let found = self.lines[start + 1..]
            .iter_mut()
            .take_while(|line| !is_head(line))
            .find(|line| line.split_once('=').is_some_and(|(name, _)| name.trim() == key));
        match found {
            Some(line) => Ok(line),
            None => bail!("the station file's section [{section}] has no {key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# top\n[api]\nlisten = \"a:1\"   # the \"only\" one\n\n[[board]]\npath = \"p\"\n[[board]]\npath = \"q\"\nbaud = 9\n";

    #[test]
    fn one_value_is_exchanged_and_all_else_stays() {
        let mut file = StationFile::new(TEXT);
        file.set("api", "listen", "b:22").unwrap();
        file.set("board", "path", "/x").unwrap();
        assert_eq!(file.get("api", "listen").unwrap(), "b:22");
        let expected = TEXT.replace("\"a:1\"", "\"b:22\"").replace("\"p\"", "\"/x\"");
        assert_eq!(file.text(), expected);
    }

    #[test]
    fn what_is_not_there_is_said() {
        let mut file = StationFile::new(TEXT);
        assert!(file.set("nothing", "x", "y").is_err());
        assert!(file.set("api", "path", "y").is_err());
        assert!(file.set("board", "baud", "y").is_err());
        assert!(file.set("api", "listen", "a\"b").is_err());
    }
}
