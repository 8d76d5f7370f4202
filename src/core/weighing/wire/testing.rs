//! What the codecs' own tests share.

use super::Event;

/// Reads `01 A2 …`.
pub(super) fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
}

/// What a decoder makes of bytes and a pause after them, once it is sure that it makes the same of them whole, byte by
/// byte and split at every point.
pub(super) fn each_split<D>(
    bytes: &[u8],
    new: impl Fn() -> D,
    push: impl Fn(&mut D, &[u8], &mut dyn FnMut(Event)),
    pause: impl Fn(&mut D, &mut dyn FnMut(Event)),
) -> Vec<Event> {
    let decode = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        let (mut decoder, mut events) = (new(), Vec::new());
        for chunk in chunks {
            push(&mut decoder, chunk, &mut |e| events.push(e));
        }
        pause(&mut decoder, &mut |e| events.push(e));
        events
    };
    let whole = decode(&mut std::iter::once(bytes));
    assert_eq!(decode(&mut bytes.chunks(1)), whole, "byte by byte");
    for at in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(at);
        assert_eq!(decode(&mut [head, tail].into_iter()), whole, "split at {at}");
    }
    whole
}
