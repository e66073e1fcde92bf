//! The text of HTML and XML in one linear pass: what is shown, what is hidden, comments and attribute values.
//!
//! Called by `walk`. Promises: inline markup joins (`<b>943</b> 476 5919`), blocks end lines, cells are divided by tabs;
//! comments and attributes stand behind the text, each on a line of its own. Fails never: HTML has no errors.

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// Text, then everything else that carries text.
pub(super) fn text(markup: &str) -> String {
    let (mut shown, mut aside) = (Vec::with_capacity(markup.len() / 2), Vec::new());
    let callback = |event: CallbackEvent<'_>, _: Span<()>| -> Option<()> {
        match event {
            CallbackEvent::String { value } => shown.extend_from_slice(value),
            CallbackEvent::OpenStartTag { name } | CallbackEvent::EndTag { name } => {
                shown.extend_from_slice(divider(name))
            }
            CallbackEvent::Comment { value } | CallbackEvent::AttributeValue { value } => note(&mut aside, value),
            CallbackEvent::AttributeName { name } => {
                aside.push(b'\n');
                aside.extend_from_slice(name);
            }
            CallbackEvent::Doctype { .. } | CallbackEvent::CloseStartTag { .. } | CallbackEvent::Error(_) => {}
        }
        None
    };
    for token in Tokenizer::new_with_emitter(markup, CallbackEmitter::new(callback)) {
        let Ok(()) = token;
    }
    shown.extend_from_slice(b"\n;\n");
    shown.append(&mut aside);
    String::from_utf8_lossy(&shown).into_owned()
}

fn note(aside: &mut Vec<u8>, value: &[u8]) {
    aside.push(b' ');
    aside.extend_from_slice(value);
    // A divider that joins nothing: two attributes are never one number.
    aside.extend_from_slice(b" ;");
}

/// What a tag does to the text around it.
fn divider(name: &[u8]) -> &'static [u8] {
    const INLINE: &[&[u8]] = &[
        b"a",
        b"abbr",
        b"acronym",
        b"b",
        b"bdi",
        b"bdo",
        b"big",
        b"cite",
        b"code",
        b"data",
        b"del",
        b"dfn",
        b"em",
        b"font",
        b"i",
        b"ins",
        b"kbd",
        b"mark",
        b"nobr",
        b"o:p",
        b"q",
        b"s",
        b"samp",
        b"small",
        b"span",
        b"strike",
        b"strong",
        b"sub",
        b"sup",
        b"time",
        b"tt",
        b"u",
        b"var",
        b"wbr",
        b"img",
        b"label",
        b"st1:phone",
        b"st1:phonenumber",
    ];
    match name {
        b"td" | b"th" => b"\t",
        name if INLINE.contains(&name) => b"",
        _ => b"\n",
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn inline_markup_joins_and_blocks_divide() {
        assert!(text("<p>NHS <b>943</b>&nbsp;4<span>7</span>6 59&#49;9</p>").contains("NHS 943\u{A0}476 5919\n"));
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
