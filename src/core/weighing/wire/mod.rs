//! One codec a file. Codecs are pure: bytes in, events out, in any split, without allocation a frame.

pub mod lcb;
