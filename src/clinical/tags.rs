//! Markup taken apart into tags and text, in whatever order and number its author wrote them.
//!
//! Called by `html` and `styled`. Promises: linear, on a small stack: the library goes one call deeper with each quoted attribute of
//! a tag, and is stopped for a moment before that is much. Fails never: HTML has no errors.

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::emitters::{Emitter, ForwardingEmitter};
use html5gum::{Readable, Reader, Span, StringReader, Tokenizer};

/// Quoted values after which the library returns to its own beginning.
const VALUES: usize = 64;
/// How the library asks for what is inside double quotes, with what it looks for besides.
const QUOTED: u8 = b'"';

/// Tells every tag, attribute, comment and piece of text of the markup.
pub(super) fn read(markup: &str, mut tell: impl FnMut(&CallbackEvent<'_>)) {
    let callback = |event: CallbackEvent<'_>, _: Span<()>| -> Option<()> {
        tell(&event);
        None
    };
    let reader = Pausing { inner: markup.to_reader(), values: 0 };
    // What pauses goes on with the next one.
    Tokenizer::new_with_emitter(reader, Forgiving(CallbackEmitter::new(callback))).for_each(drop);
}

/// Looks for no errors: that would be a look at every octet more.
struct Forgiving<F: Callback<(), ()>>(CallbackEmitter<F, ()>);

impl<F: Callback<(), ()>> ForwardingEmitter for Forgiving<F> {
    type Token = ();

    fn inner(&mut self) -> &mut impl Emitter<Token = ()> {
        &mut self.0
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }
}

/// Reads a string, and fails once in so many quoted values, before it has taken anything of the value.
struct Pausing<'m> {
    inner: StringReader<'m>,
    /// Values since it failed.
    values: usize,
}

#[derive(Debug)]
struct Pause;

impl std::fmt::Display for Pause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a pause between two attributes")
    }
}

impl std::error::Error for Pause {}

impl Reader for Pausing<'_> {
    type Error = Pause;

    fn read_byte(&mut self) -> Result<Option<u8>, Pause> {
        self.inner.read_byte().map_err(|never| match never {})
    }

    fn try_read_string(&mut self, text: &[u8], case_sensitive: bool) -> Result<bool, Pause> {
        self.inner.try_read_string(text, case_sensitive).map_err(|never| match never {})
    }

    fn read_until<'b>(&'b mut self, needle: &[u8], room: &'b mut [u8; 4]) -> Result<Option<&'b [u8]>, Pause> {
        if needle.first() == Some(&QUOTED) {
            self.values += 1;
            if self.values == VALUES {
                self.values = 0;
                return Err(Pause);
            }
        }
        self.inner.read_until(needle, room).map_err(|never| match never {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told, as one line.
    fn told(markup: &str) -> String {
        let mut told = String::new();
        read(markup, |event| match event {
            CallbackEvent::OpenStartTag { name } => told += &format!("<{}", String::from_utf8_lossy(name)),
            CallbackEvent::AttributeName { name } => told += &format!(" {}", String::from_utf8_lossy(name)),
            CallbackEvent::AttributeValue { value } => told += &format!("={}", String::from_utf8_lossy(value)),
            CallbackEvent::CloseStartTag { .. } => told.push('>'),
            CallbackEvent::String { value } => told += &String::from_utf8_lossy(value),
            CallbackEvent::EndTag { name } => told += &format!("</{}>", String::from_utf8_lossy(name)),
            CallbackEvent::Comment { value } => told += &format!("<!{}>", String::from_utf8_lossy(value)),
            CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        });
        told
    }

    #[test]
    fn attributes_are_told_whole_however_many_there_are() {
        let mixed = |n: usize| match n % 5 {
            0 => format!(" a{n}=\"v&amp;{n}\""),
            1 => format!("\r\n a{n} = \"\""),
            2 => format!(" a{n}='v{n}'"),
            3 => format!(" a{n}=\"v\0 > {n}\"/"),
            _ => format!(" a{n}"),
        };
        let expected = |n: usize| match n % 5 {
            0 => format!(" a{n}=v&{n}"),
            1 => format!(" a{n}"),
            2 => format!(" a{n}=v{n}"),
            3 => format!(" a{n}=v\u{FFFD} > {n}"),
            _ => format!(" a{n}"),
        };
        for count in [1, 62, 63, 64, 65, 129, 1_000] {
            let tag: String = (0..count).map(mixed).collect();
            let same: String = (0..count).map(expected).collect();
            let found = told(&format!("x<p{tag}>y</p><!-- \"z\" -->"));
            assert_eq!(found.replace("= ", " "), format!("x<p{same}>y</p><! \"z\" >"), "{count}");
        }
    }

    #[test]
    fn a_small_stack_is_enough_for_any_number_of_attributes() {
        for tag in ["<a ", "</a ", "x<a b=''", "<svg><a "] {
            let markup = format!("{tag}{}>text", "b=\"\" ".repeat(200_000));
            let small = std::thread::Builder::new().stack_size(512 * 1024);
            let end = small.spawn(move || told(&markup)).unwrap().join().unwrap();
            assert!(end.ends_with("text"), "{tag}");
        }
    }
}
