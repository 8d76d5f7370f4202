//! The insides of North American coupons (AI 8110 and 8112): digits whose lengths are told by digits before them.

/// A coupon's digits as far as they have been read.
struct Digits<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Digits<'a> {
    fn new(all: &'a [u8]) -> Result<Self, usize> {
        match all.iter().position(|byte| !byte.is_ascii_digit()) {
            Some(at) => Err(at),
            None => Ok(Self { all, at: 0 }),
        }
    }

    /// The next so many digits; the place if there are fewer.
    fn take(&mut self, count: usize) -> Result<&'a [u8], usize> {
        let taken = self.all.get(self.at..self.at + count).ok_or(self.at)?;
        self.at += count;
        Ok(taken)
    }

    /// One digit out of a set; its value.
    fn one_of(&mut self, allowed: &[u8]) -> Result<usize, usize> {
        let at = self.at;
        let digit = self.take(1)?[0];
        if allowed.contains(&digit) { Ok(usize::from(digit - b'0')) } else { Err(at) }
    }

    /// A field whose length is `more` digits more than the digit before it says.
    fn told(&mut self, allowed: &[u8], more: usize) -> Result<&'a [u8], usize> {
        let length = self.one_of(allowed)? + more;
        self.take(length)
    }

    /// Whether the next digit is this one; if so it is taken.
    fn is(&mut self, digit: u8) -> bool {
        let found = self.all.get(self.at) == Some(&digit);
        self.at += usize::from(found);
        found
    }

    fn end(&self) -> Result<(), usize> {
        if self.at == self.all.len() { Ok(()) } else { Err(self.at) }
    }

    /// What must be bought: how much, in which terms, of which family.
    fn requirement(&mut self) -> Result<(), usize> {
        self.told(b"12345", 0)?;
        self.one_of(b"012349")?;
        self.take(3)?;
        Ok(())
    }

    /// A company prefix of another purchase; 9 stands for none.
    fn other_prefix(&mut self) -> Result<(), usize> {
        if self.is(b'9') {
            return Ok(());
        }
        self.told(b"0123456", 6).map(|_| ())
    }

    fn date(&mut self) -> Result<&'a [u8], usize> {
        let at = self.at;
        let date = self.take(6)?;
        match super::Rule::Date.broken_at(date) {
            Some(within) => Err(at + within),
            None => Ok(date),
        }
    }
}

/// AI 8110, after the North American Coupon Application Guideline Using GS1 DataBar Expanded Symbols.
///
/// # Errors
/// The byte where it is none.
pub fn north_american(value: &[u8]) -> Result<(), usize> {
    let mut digits = Digits::new(value)?;
    digits.told(b"0123456", 6)?;
    digits.take(6)?;
    digits.told(b"12345", 0)?;
    digits.requirement()?;
    if digits.is(b'1') {
        digits.one_of(b"0123")?;
        digits.requirement()?;
        digits.other_prefix()?;
    }
    if digits.is(b'2') {
        digits.requirement()?;
        digits.other_prefix()?;
    }
    let expires = if digits.is(b'3') { Some(digits.date()?) } else { None };
    let starts_at = digits.at;
    let starts = if digits.is(b'4') { Some(digits.date()?) } else { None };
    if let (Some(expires), Some(starts)) = (expires, starts)
        && expires < starts
    {
        return Err(starts_at);
    }
    if digits.is(b'5') {
        digits.told(b"0123456789", 6)?;
    }
    if digits.is(b'6') {
        digits.told(b"1234567", 6)?;
    }
    if digits.is(b'9') {
        digits.one_of(b"01256")?;
        digits.one_of(b"012")?;
        digits.take(1)?;
        digits.one_of(b"01")?;
    }
    digits.end()
}

/// AI 8112, after the GS1 AI (8112) Coupon Data Specification.
///
/// # Errors
/// The byte where it is none.
pub fn positive_offer(value: &[u8]) -> Result<(), usize> {
    let mut digits = Digits::new(value)?;
    digits.one_of(b"01")?;
    digits.told(b"0123456", 6)?;
    digits.take(6)?;
    digits.told(b"0123456789", 6)?;
    digits.end()
}
