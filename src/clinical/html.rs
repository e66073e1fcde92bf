//! The text of HTML and XML in one linear pass: what is shown, what is hidden, comments and attribute values.
//!
//! Called by `walk`. Promises: inline markup joins (`<b>943</b> 476 5919`), blocks end lines, cells are divided by tabs;
//! comments and attributes stand behind the text, each on a line of its own. Fails never: HTML has no errors.

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::emitters::{Emitter, ForwardingEmitter};
use html5gum::{Span, Tokenizer};

/// Pages inside pages, inside attributes of theirs: browsers show as many as anybody writes.
const FRAMES: usize = 8;

/// Text, then everything else that carries text.
pub(super) fn text(markup: &str) -> String {
    framed(markup, FRAMES)
}

/// Whether text holds the end of an element that has text of its own.
pub(super) fn has_closing_tag(bytes: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[b"p>", b"div>", b"td>", b"span>", b"b>", b"i>", b"font>", b"li>", b"a>", b"strong>"];
    let is_one = |at: usize| NAMES.iter().any(|name| starts_so(bytes.get(at + 2..).unwrap_or_default(), name));
    memchr::memmem::find_iter(bytes, b"</").any(is_one)
}

fn starts_so(bytes: &[u8], name: &[u8]) -> bool {
    bytes.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// HTML 4.8.5: the value of `srcdoc` is a page.
fn framed(markup: &str, frames: usize) -> String {
    let (mut shown, mut aside) = (Vec::with_capacity(markup.len() / 2), Vec::new());
    let (mut is_page, mut pages) = (false, Vec::new());
    let callback = |event: CallbackEvent<'_>, _: Span<()>| -> Option<()> {
        match event {
            CallbackEvent::String { value } => shown.extend_from_slice(value),
            CallbackEvent::OpenStartTag { name } => open(&mut shown, name),
            CallbackEvent::EndTag { name } => shown.extend_from_slice(divider(name).unwrap_or(b"\n".as_slice())),
            CallbackEvent::AttributeValue { value } => {
                note(&mut aside, value);
                if is_page && frames > 0 {
                    pages.push(String::from_utf8_lossy(value).into_owned());
                }
            }
            CallbackEvent::Comment { value } => note(&mut aside, value),
            CallbackEvent::AttributeName { name } => {
                is_page = name == b"srcdoc";
                aside.push(b'\n');
                aside.extend_from_slice(name);
            }
            CallbackEvent::Doctype { .. } | CallbackEvent::CloseStartTag { .. } | CallbackEvent::Error(_) => {}
        }
        None
    };
    for token in Tokenizer::new_with_emitter(markup, Forgiving(CallbackEmitter::new(callback))) {
        let Ok(()) = token;
    }
    shown.extend_from_slice(b"\n;\n");
    shown.append(&mut aside);
    for page in pages {
        shown.extend_from_slice(b"\n;\n");
        shown.extend_from_slice(framed(&page, frames.saturating_sub(1)).as_bytes());
    }
    String::from_utf8(shown).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Looks for no errors: that would be a look at every octet more.
pub(super) struct Forgiving<F: Callback<(), ()>>(pub CallbackEmitter<F, ()>);

impl<F: Callback<(), ()>> ForwardingEmitter for Forgiving<F> {
    type Token = ();

    fn inner(&mut self) -> &mut impl Emitter<Token = ()> {
        &mut self.0
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }
}

fn note(aside: &mut Vec<u8>, value: &[u8]) {
    aside.push(b' ');
    aside.extend_from_slice(value);
    // A divider that joins nothing: two attributes are never one number.
    aside.extend_from_slice(b" ;");
}

/// The name of an element that HTML does not know is a label: `<nhsNumber>`.
pub(super) fn open(shown: &mut Vec<u8>, name: &[u8]) {
    match divider(name) {
        Some(divider) => shown.extend_from_slice(divider),
        None => {
            shown.push(b'\n');
            shown.extend_from_slice(name);
            shown.push(b' ');
        }
    }
}

/// What a tag of HTML does to the text around it.
pub(super) fn divider(name: &[u8]) -> Option<&'static [u8]> {
    match name {
        b"td" | b"th" => Some(b"\t"),
        // Pieces of a line in a drawing (SVG 2, 11.2).
        b"text" | b"tspan" => Some(b" "),
        b"a" | b"abbr" | b"acronym" | b"b" | b"bdi" | b"bdo" | b"big" | b"cite" | b"code" | b"data" | b"del"
        | b"dfn" | b"em" | b"font" | b"i" | b"ins" | b"kbd" | b"mark" | b"nobr" | b"o:p" | b"q" | b"s" | b"samp"
        | b"small" | b"span" | b"strike" | b"strong" | b"sub" | b"sup" | b"time" | b"tt" | b"u" | b"var" | b"wbr"
        | b"img" | b"label" => Some(b""),
        b"p" | b"br" | b"div" | b"tr" | b"li" | b"ul" | b"ol" | b"dl" | b"dt" | b"dd" | b"table" | b"tbody"
        | b"thead" | b"tfoot" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"hr" | b"pre" | b"blockquote"
        | b"center" | b"section" | b"article" | b"html" | b"body" | b"head" => Some(b"\n"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn inline_markup_joins_and_blocks_divide() {
        assert!(text("<p>NHS <b>943</b>&nbsp;4<span>7</span>6 59&#49;9</p>").contains("NHS 943\u{A0}476 5919\n"));
        assert!(text("<nhsNumber>943</nhsNumber>").contains("nhsnumber 943\n"));
        assert!(text("<iframe srcdoc='NHS 9<b></b>43<iframe srcdoc=\"47<i></i>6\">'>").contains("NHS 943"));
        assert!(text("<iframe srcdoc='<iframe srcdoc=\"47&amp;lt;i>&amp;lt;/i>6\">'>").contains("\n476"));
        assert!(text("<text>943</text><text x='1'>476</text>").contains("943  476"));
        assert!(text("<tr><td>943</td><td>476</td>").contains("943\t\t476"));
    }

    #[test]
    fn comments_and_attributes_are_text_too() {
        let found =
            text("<!-- one --><img alt='two' title=\"th&#114;ee\"><a href=four>x</a><p style='display:none'>five");
        for word in ["one", "two", "three", "four", "five"] {
            assert!(found.contains(word), "{word} in {found}");
        }
    }
}
