//! Rich Text Format 1.9.1, as word processors and Outlook write it, and the HTML that Outlook wraps in it ([MS-OXRTFEX]).
//!
//! Called by `documents`. Promises: one pass, no recursion; the body is read as a reader shows it and with what it hides; every
//! destination, known or not, is read beside it; objects and pictures are files. Fails never: what is torn is said to be broken.

mod flow;
mod lists;
mod page;
mod state;
mod tokens;
mod words;

use super::document::Document;
use super::{Read, Wrong};
use state::State;
use tokens::Tokens;

pub(super) fn read(bytes: &[u8], document: &mut Document<'_, '_>) -> Read {
    let mut state = State::new(document);
    let mut tokens = Tokens::of(bytes);
    for token in tokens.by_ref() {
        state.token(token);
    }
    state.finish();
    if tokens.sound { Ok(()) } else { Err(Wrong::Broken("rtf data")) }
}

fn html_text(markup: &str) -> String {
    super::super::html::text(markup)
}

#[cfg(test)]
mod tests;
