//! Style sheets that a page takes from elsewhere (HTML 4.2.4, CSS Cascade 4, 2): what they write, hide and move is not known.
//!
//! Part of `styled`. Promises: linear. Fails never.

use super::super::tags;
use super::content::unescaped;
use html5gum::emitters::callback::CallbackEvent;

/// Hosts of letter forms, whose sheets name fonts and nothing else.
const FONTS: &[&str] = &["fonts.googleapis.com", "fonts.bunny.net", "use.typekit.net", "fast.fonts.net"];
/// Octets of an address that are looked at, and of a rule that has one.
const ADDRESS: usize = 256;

/// What a page's addresses stand beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Beside {
    /// Nothing: the text of a message has no place, unless it says one.
    Nothing,
    /// Other files, perhaps: an attachment is opened from a folder.
    Files,
}

/// Whether the page has such a sheet, as `html` read it.
pub(in super::super) fn has_sheet(markup: &str, shown: &str, beside: Beside) -> bool {
    let is_linked = || contains(shown, "stylesheet") && has_link(markup, beside);
    is_imported(shown, beside) || is_linked()
}

fn contains(text: &str, word: &str) -> bool {
    let (first, rest) = word.split_at(1);
    let upper = first.to_ascii_uppercase();
    let is_one = |at: usize| text.get(at + 1..at + 1 + rest.len()).is_some_and(|own| own.eq_ignore_ascii_case(rest));
    memchr::memchr2_iter(first.as_bytes()[0], upper.as_bytes()[0], text.as_bytes()).any(is_one)
}

/// `@import`, however it is written.
fn is_imported(shown: &str, beside: Beside) -> bool {
    let is_one = |at: usize| {
        let end = shown.floor_char_boundary(at + 1 + ADDRESS);
        let rule = unescaped(shown.get(at + 1..end).unwrap_or_default());
        let address = rule.get(..6).filter(|name| name.eq_ignore_ascii_case("import")).and_then(|_| rule.get(6..));
        address.is_some_and(|address| {
            let address = address.trim_start().trim_start_matches("url(");
            is_unknown(address.trim_start_matches(['"', '\'', ' ']), beside)
        })
    };
    memchr::memchr_iter(b'@', shown.as_bytes()).any(is_one)
}

/// A link to one.
fn has_link(markup: &str, beside: Beside) -> bool {
    let (mut link, mut found, mut beside) = (Link::default(), false, beside);
    tags::read(markup, |event| match event {
        CallbackEvent::OpenStartTag { name } => link = Link { name: name.to_vec(), ..Link::default() },
        CallbackEvent::AttributeName { name } => link.attribute = name.to_vec(),
        CallbackEvent::AttributeValue { value } => match link.attribute.as_slice() {
            b"rel" => link.is_sheet = contains(&String::from_utf8_lossy(value), "stylesheet"),
            b"href" => link.address = value.get(..value.len().min(ADDRESS)).unwrap_or_default().to_vec(),
            _ => {}
        },
        CallbackEvent::CloseStartTag { .. } => {
            let address = String::from_utf8_lossy(&link.address);
            if link.name == b"base" {
                beside = Beside::Files;
            }
            found |= link.name == b"link" && link.is_sheet && is_unknown(address.trim(), beside);
        }
        _ => {}
    });
    found
}

#[derive(Debug, Default)]
struct Link {
    name: Vec<u8>,
    attribute: Vec<u8>,
    is_sheet: bool,
    address: Vec<u8>,
}

/// Whether a programme may find a sheet there, and not one of fonts.
fn is_unknown(address: &str, beside: Beside) -> bool {
    let address = address.get(..address.floor_char_boundary(ADDRESS)).unwrap_or_default();
    let name = address.find([':', '/', '?', '#', ')', '"', '\'', ';', '{', '\n']).unwrap_or(address.len());
    let scheme = address.get(name..).is_some_and(|rest| rest.starts_with(':')).then(|| &address[..name]);
    let host = address.split("//").nth(1).and_then(|rest| rest.split(['/', '?', '#', '"', '\'', ')', ':']).next());
    let is_web = scheme.map_or(address.starts_with("//"), |scheme| scheme.to_ascii_lowercase().starts_with("http"));
    match host {
        Some(host) if is_web => !FONTS.contains(&host),
        _ if scheme.is_some() => true,
        _ => beside == Beside::Files && name > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::html;
    use super::*;

    #[test]
    fn a_sheet_that_is_not_in_the_page_is_known() {
        let has = |markup: &str, beside| has_sheet(markup, &html::text(markup), beside);
        for markup in [
            "<link rel=stylesheet href='data:text/css,b{}'>",
            "<style>@import url(DATA:Text/CSS;base64,eA)</style>",
            "<style>@\\69mport 'https://a.example/b.css'</style>",
            "<LINK HREF='cid:a@b' REL='alternate STYLEsheet'>",
            "<link rel=\"&#115;tylesheet\" href=https://a.example/fonts.googleapis.com>",
            "<link rel=stylesheet href=//a.example/b>",
            "<base href='https://a.example/'><link rel=stylesheet href=b.css>",
        ] {
            assert!(has(markup, Beside::Nothing), "{markup}");
        }
        for markup in [
            "<link rel=stylesheet type=text/css href=a.css>data:text/html",
            "<link href='https://fonts.googleapis.com/css?family=Lato' rel=stylesheet>",
            "<style>@import url(https://fonts.googleapis.com/css2?family=Inter:wght@400;500);@import url(\"a.css\")</style>",
            "<link rel=icon href=https://a.example/b.png>a stylesheet, @important",
        ] {
            assert!(!has(markup, Beside::Nothing), "{markup}");
        }
        assert!(has("<link rel=stylesheet href=a.css>", Beside::Files));
        assert!(!has("<link rel=stylesheet href=''>", Beside::Files));
    }
}
