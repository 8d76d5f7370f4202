//! `augenmass`: see `augenmass --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    augenmass::app::command::main()
}
