//! The text of HTML and XML in one linear pass: what is shown, what is hidden, comments and attribute values.
//!
//! Called by `walk`. Promises: inline markup joins (`<b>943</b> 476 5919`), blocks end lines, cells are divided by tabs;
//! comments and attributes stand behind the text, each on a line of its own. Fails never: HTML has no errors.

use super::page::Page;
use super::{conditional, tags};
use html5gum::emitters::callback::CallbackEvent;

/// Pages inside pages, inside attributes of theirs: browsers show as many as anybody writes.
const FRAMES: usize = 8;

/// Text, then everything else that carries text, then the text in further readings where there are any.
pub(super) fn text(markup: &str) -> String {
    framed(markup, FRAMES)
}

/// What is shown, in the first reading, of what `text` returned.
pub(super) fn shown_of(text: &str) -> &str {
    text.split("\n;\n").next().unwrap_or_default()
}

/// HTML 4.8.5: the value of `srcdoc` is a page.
fn framed(markup: &str, frames: usize) -> String {
    let mut page = page(markup);
    let (has_more, frame_pages) = (page.has_conditional_digits, std::mem::take(&mut page.frames));
    let mut text = page.finish();
    if has_more {
        text = text + "\n;\n" + &self::page(&conditional::opened(markup)).finish_shown();
    }
    for inner in frame_pages.iter().filter(|_| frames > 0) {
        text = text + "\n;\n" + &framed(inner, frames.saturating_sub(1));
    }
    text
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

fn page(markup: &str) -> Page {
    let mut page = Page::with_room(markup.len() / 2);
    tags::read(markup, |event| match event {
        CallbackEvent::String { value } => page.text(value),
        CallbackEvent::OpenStartTag { name } => page.open(name),
        CallbackEvent::EndTag { name } => page.close(name),
        CallbackEvent::Comment { value } => page.comment(value),
        CallbackEvent::AttributeValue { value } => page.value(value),
        CallbackEvent::AttributeName { name } => page.attribute(name),
        CallbackEvent::CloseStartTag { .. } => page.opened(),
        CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
    });
    page
}

/// What a tag of HTML does to the text around it.
pub(super) fn divider(name: &[u8]) -> Option<&'static [u8]> {
    match name {
        b"td" | b"th" => Some(b"\t"),
        // Pieces of a line in a drawing (SVG 2, 11.2), and fields in a line.
        b"text" | b"tspan" | b"select" => Some(b" "),
        b"a" | b"abbr" | b"acronym" | b"b" | b"bdi" | b"bdo" | b"big" | b"cite" | b"code" | b"data" | b"del"
        | b"dfn" | b"em" | b"font" | b"i" | b"ins" | b"kbd" | b"mark" | b"nobr" | b"o:p" | b"q" | b"s" | b"samp"
        | b"small" | b"span" | b"strike" | b"strong" | b"sub" | b"sup" | b"time" | b"tt" | b"u" | b"var" | b"wbr"
        | b"img" | b"label" | b"svg" | b"input" | b"option" | b"meta" | b"link" | b"base" | b"col" | b"colgroup" => {
            Some(b"")
        }
        b"p" | b"br" | b"div" | b"tr" | b"li" | b"ul" | b"ol" | b"dl" | b"dt" | b"dd" | b"table" | b"tbody"
        | b"thead" | b"tfoot" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"hr" | b"pre" | b"blockquote"
        | b"center" | b"section" | b"article" | b"html" | b"body" | b"head" | b"main" | b"aside" | b"header"
        | b"footer" | b"nav" | b"address" | b"form" | b"fieldset" | b"legend" | b"figure" | b"figcaption"
        | b"details" | b"summary" | b"dialog" | b"hgroup" | b"menu" | b"caption" | b"title" | b"noscript"
        | b"iframe" => Some(b"\n"),
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
        assert!(text("<main>943<aside></aside> 476<footer>5919").contains("943\n\n476\n5919"));
        assert!(text("<tr><td>943</td><td>476</td>").contains("943\t\t476"));
    }

    #[test]
    fn elements_that_nobody_knows_are_inline() {
        for markup in [
            "<p>NHS number 9<x>4</x>3 476<st1:phone> 59</st1:phone><my-own>19</my-own></p>",
            "<?xml version='1.0'?><r>NHS number 943<i> 476</i><e> 5919</e></r>",
            "<p>NHS number 943<emphasis> 476</emphasis><style name='a'> 5919</style></p>",
            "<p>N<x>H</x>S number 943<picture><img></picture> 476<o:x></o:x> 5919</p>",
        ] {
            let found = text(markup);
            assert!(found.contains("NHS number 943 476 5919"), "{markup}: {found}");
        }
        let found = text("<p>NHS number <ruby>943<rt>1</rt></ruby> <ruby>476<rt>b</ruby> 5919</p>");
        assert!(found.contains("943 476 5919"), "{found}");
        assert!(text("<p>943<style>p{margin:1px}</style> 476</p>").contains("943 476"));
        assert_eq!(text("<title>one</title><style>{two</style><meta name=x>three").matches("three").count(), 1);
        let found = text("<patient><nhs><part>943</part><part>476</part><part>5919</part></nhs></patient>");
        assert!(found.contains("nhs \npart 9434765919\n"), "{found}");
        assert!(found.contains("part 943\n\npart 476\n"), "{found}");
        assert!(!text("<a-b>943</a-b>, <a-b>four</a-b>").contains("943,"));
    }

    #[test]
    fn digits_that_a_style_may_hide_are_there_in_one_reading_only() {
        for markup in [
            "<p>NHS number 943<span style='opacity:.01'>1</span> 476<b class=x> 22</b> 5919",
            "<p>NHS number 94<i id=a>7</i>3 <i class=b><u>12</u></i>476 5919",
            "<p>NHS number 943 <span style='position:absolute;left:-9999px'>12</span>476 5919",
            "<p>NHS number 943<font color='#ffffff'>12</font> 476 5919",
            "<p>NHS number 94<del>8</del>3 476<sup>1</sup> 59<s>2</s>19",
        ] {
            let found = text(markup);
            assert!(found.contains("NHS number 943 476 5919"), "{markup}: {found}");
        }
        for markup in [
            "<td class=a>12</td><td class=b>34</td><td>56",
            "<p>12<b>34</b>56",
            "&pound;12<sup class=p>99</sup> each, 4",
            "<p>12<b class=x>a</b>3",
        ] {
            assert_eq!(text(markup).matches("\n;\n").count(), 1, "{markup}");
        }
    }

    #[test]
    fn white_space_of_the_source_is_one_character() {
        let gap = " ".repeat(30);
        let found = text(&format!("<b>943</b>\n{gap}<b>476</b>{gap}{gap}<i>{gap}5919</i><pre>1{gap}2</pre>3{gap}4"));
        assert!(found.starts_with(&format!("943\n476 5919\n1{gap}2\n3 4")), "{found:?}");
        let nested = "<div>\n".repeat(40);
        assert!(text(&format!("943{nested}476")).starts_with("943\n\n476"));
    }

    #[test]
    fn sections_of_characters_are_text() {
        let found = text("<r>NHS number 943<![CDATA[ 476]]> 5919</r>");
        assert!(found.contains("NHS number 943 476 5919"), "{found}");
        let found = text("<p>NHS number 943<![CDATA[1]]> 476 5919</p>");
        assert!(found.contains("NHS number 943 476 5919"), "{found}");
    }

    #[test]
    fn what_fields_and_lists_show_stands_in_the_text() {
        for markup in [
            "<p>NHS number<input value=943><input type=hidden value='476'><input value=\"5919\"></p>",
            "<p>NHS number<img alt=943><img alt='476'><img alt=5919 src=a.png></p>",
            "<p>NHS number</p><ol start=943><li>476 5919</ol>",
            "<p>NHS number<ul><li value=943>476 5919</ul>",
            "<p>NHS number<select><option>943<option>1</select><select><option selected>476<option>2</select> 5919",
            "<p>NHS number 943<select><option>1<option selected>476</select>5919",
        ] {
            let found = text(markup).replace(['\n', '.'], " ");
            let found = found.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                found.contains("NHS number 943 476 5919")
                    || found.contains("943476 5919")
                    || found.contains("943 4765919"),
                "{markup}: {found}"
            );
        }
        assert!(text("943<input type=hidden value=1> 476").contains("943 476"));
        let written =
            text("<p>No <xsl:value-of select='943'/> <xsl:value-of select=\"'476'\"/> <xsl:value-of select='5919'/>");
        assert!(written.contains("943 476 5919"), "{written}");
        assert!(text("<select><option>1<option>2").contains("1\n;\n2"));
    }

    #[test]
    fn what_outlook_alone_shows_is_one_more_reading() {
        let found = text("<p>NHS number 943<!--[if mso]> 4&#55;6<![endif]--> 5919</p>");
        assert!(found.contains("NHS number 943 476 5919"), "{found}");
        for decoy in [
            "<![if !mso]>1<![endif]>",
            "<!--[if !mso]><!-->1<!--<![endif]-->",
            "<!--[IF !mso]><!-- -->1<!-- <![endif]-->",
        ] {
            let found = text(&format!("<p>NHS number 943{decoy} 476 5919"));
            assert!(found.contains("NHS number 943 476 5919"), "{decoy}: {found}");
        }
        let usual = "<!--[if mso]><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><td width=600>&#8202;<![endif]-->x";
        assert_eq!(text(usual).matches('x').count(), 5, "{}", text(usual));
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
