//! What a codec holds back: the last bytes of the stream, at most `N` of them.

/// A window that slides over a stream. Its size is its type, so that no bytes on a wire can make it grow.
#[derive(Clone, Debug)]
pub(super) struct Window<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Window<N> {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    /// The bytes held, oldest first.
    pub(super) fn held(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) const fn is_full(&self) -> bool {
        self.length == N
    }

    /// Takes one more byte; the oldest makes room if there is none.
    pub(super) fn take(&mut self, byte: u8) {
        if self.is_full() {
            self.forget(1);
        }
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// Forgets the oldest `count` bytes, or all if there are fewer.
    pub(super) fn forget(&mut self, count: usize) {
        let count = count.min(self.length);
        self.bytes.copy_within(count..self.length, 0);
        self.length -= count;
    }

    pub(super) const fn clear(&mut self) {
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_window_keeps_the_newest() {
        let mut window = Window::<3>::new();
        for byte in 1..=5 {
            window.take(byte);
        }
        assert_eq!(window.held(), [3, 4, 5]);
        window.forget(2);
        assert_eq!(window.held(), [5]);
        window.forget(9);
        assert!(window.is_empty());
    }
}
