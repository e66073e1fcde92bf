//! Style sheets that a page takes from elsewhere (HTML 4.2.4, CSS Cascade 4, 2): what they write, hide and move is not known.
//!
//! Part of `styled`. Promises: linear in the page, once more for each page inside pages. Fails never: an address that is none loads nothing.

use super::super::tags;
use super::content::escaped;
use super::sheet::without_comments;
use html5gum::emitters::callback::CallbackEvent;
use url::Url;

/// Hosts of letter forms, whose sheets name fonts and nothing else.
const FONTS: &[&str] = &["fonts.googleapis.com", "fonts.bunny.net", "use.typekit.net", "fast.fonts.net"];
/// Where a page is that says nothing of it, by a scheme that no page shares: `https:a` is no address beside it.
const NOWHERE: &str = "nowhere.invalid";
/// Octets of an address that are looked at, addresses, and pages inside pages.
const ADDRESS: usize = 2_048;
const MOST: usize = 256;
const FRAMES: usize = 8;

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
    let may_have = contains(shown, "stylesheet") || imports(shown).next().is_some();
    may_have && in_page(markup, beside, FRAMES)
}

fn in_page(markup: &str, beside: Beside, frames: usize) -> bool {
    let mut page = Page::default();
    tags::read(markup, |event| page.event(event));
    let css = without_comments(&page.css);
    let imported = imports(&css).filter_map(address_of).map(str::to_owned);
    let addresses = page.addresses.into_iter().chain(imported).take(MOST);
    let base = Url::parse(&format!("ftp://{NOWHERE}/")).ok();
    let base = base.map(|none| page.base.and_then(|own| none.join(own.trim()).ok()).unwrap_or(none));
    addresses.into_iter().any(|address| base.as_ref().is_some_and(|base| is_unknown(&address, base, beside)))
        || (frames > 0 && page.frames.iter().any(|inner| in_page(inner, beside, frames - 1)))
}

/// What of a page has to do with sheets.
#[derive(Debug, Default)]
struct Page {
    tag: Vec<u8>,
    /// Of the tag that is read, each the first of its name (HTML 13.2.5.33).
    attribute: Vec<u8>,
    is_sheet: bool,
    has_rel: bool,
    href: Option<String>,
    is_in_style: bool,
    css: String,
    addresses: Vec<String>,
    base: Option<String>,
    frames: Vec<String>,
}

impl Page {
    fn event(&mut self, event: &CallbackEvent<'_>) {
        match event {
            CallbackEvent::String { value } if self.is_in_style => self.css.push_str(&String::from_utf8_lossy(value)),
            CallbackEvent::OpenStartTag { name } => {
                self.tag = name.to_vec();
                (self.is_sheet, self.has_rel, self.href) = (false, false, None);
            }
            CallbackEvent::AttributeName { name } => self.attribute = name.to_vec(),
            CallbackEvent::AttributeValue { value } => self.value(&String::from_utf8_lossy(value)),
            CallbackEvent::CloseStartTag { .. } => self.opened(),
            CallbackEvent::EndTag { name } => self.is_in_style &= *name != b"style",
            CallbackEvent::Comment { value } => self.instruction(&String::from_utf8_lossy(value)),
            _ => {}
        }
    }

    fn value(&mut self, value: &str) {
        match (self.tag.as_slice(), self.attribute.as_slice()) {
            (b"link", b"rel") if !self.has_rel => (self.has_rel, self.is_sheet) = (true, contains(value, "stylesheet")),
            (b"link" | b"base", b"href") if self.href.is_none() => self.href = Some(value.to_owned()),
            (b"iframe", b"srcdoc") => self.frames.push(value.to_owned()),
            _ => {}
        }
    }

    fn opened(&mut self) {
        self.is_in_style |= self.tag == b"style";
        match self.href.take() {
            Some(href) if self.tag == b"base" => _ = self.base.get_or_insert(href),
            Some(href) if self.is_sheet => self.addresses.push(href),
            _ => {}
        }
    }

    /// `<?xml-stylesheet href="…"?>` is a comment in HTML, and for an attached XHTML it is not.
    fn instruction(&mut self, text: &str) {
        let Some(pseudo) = text.strip_prefix("?xml-stylesheet") else { return };
        let address = pseudo.split_once("href=").and_then(|(_, rest)| rest.trim_start().get(1..));
        self.addresses.extend(address.and_then(|address| address.split(['"', '\'']).next()).map(str::to_owned));
    }
}

fn contains(text: &str, word: &str) -> bool {
    let Some((first, rest)) = word.as_bytes().split_first() else { return true };
    let is_one =
        |at: usize| text.as_bytes().get(at + 1..at + 1 + rest.len()).is_some_and(|own| own.eq_ignore_ascii_case(rest));
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text.as_bytes()).any(is_one)
}

/// What stands behind each `@import`, however that is written.
fn imports(css: &str) -> impl Iterator<Item = &str> {
    memchr::memchr_iter(b'@', css.as_bytes()).filter_map(|at| behind_name(css.get(at + 1..)?, "import"))
}

fn behind_name<'t>(mut text: &'t str, name: &str) -> Option<&'t str> {
    for expected in name.chars() {
        let (c, behind) = match text.strip_prefix('\\') {
            Some(escape) => escaped(escape),
            None => (text.chars().next(), text.get(1..).unwrap_or_default()),
        };
        if !c.is_some_and(|c| c.eq_ignore_ascii_case(&expected)) {
            return None;
        }
        text = behind;
    }
    Some(text)
}

/// The address that a rule imports: a string, or one in `url()`.
fn address_of(rule: &str) -> Option<&str> {
    let rule = rule.trim_start();
    let inside = rule.get(..4).filter(|call| call.eq_ignore_ascii_case("url(")).and_then(|_| rule.get(4..));
    let inside = inside.or_else(|| rule.starts_with(['"', '\'']).then_some(rule))?;
    inside
        .trim_start_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\''))
        .split(['"', '\'', ')'])
        .next()
}

/// Whether a programme may find a sheet there, and not one of fonts.
fn is_unknown(address: &str, base: &Url, beside: Beside) -> bool {
    let fitting = address.get(..address.floor_char_boundary(ADDRESS)).unwrap_or_default();
    let Ok(mut found) = base.join(fitting.trim()) else { return false };
    found.set_fragment(None);
    match (found.scheme(), found.host_str()) {
        (_, Some(NOWHERE)) => beside == Beside::Files && found != *base,
        ("http" | "https", Some(host)) => !FONTS.contains(&host),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::html;
    use super::*;

    fn has(markup: &str, beside: Beside) -> bool {
        has_sheet(markup, &html::text(markup), beside)
    }

    #[test]
    fn a_sheet_that_is_not_in_the_page_is_known() {
        for markup in [
            "<link rel=stylesheet href='data:text/css,b{}'>",
            "<style>@import url(DATA:Text/CSS;base64,eA)</style>",
            "<style>@\\69mport 'https://a.example/b.css'</style>",
            "<style>@import/**/url(\n'https://a.example/b.css')</style>",
            "<LINK HREF='cid:a@b' REL='alternate STYLEsheet'>",
            "<link rel=\"&#115;tylesheet\" href=https://a.example/fonts.googleapis.com>",
            "<link rel=stylesheet rel=icon href=https://a.example/b>",
            "<link rel=stylesheet href=https://a.example/b href=https://fonts.googleapis.com/x>",
            "<link rel=stylesheet href=https://fonts.googleapis.com:x@a.example/b>",
            "<link rel=stylesheet href=https:a.example//fonts.googleapis.com/b>",
            "<link rel=stylesheet href='\\\\a.example\\b'>",
            "<link rel=stylesheet href=//a.example/b>",
            "<base href='https://a.example/'><link rel=stylesheet href=/b.css>",
            "<base href='https://a.example/'><style>@import 'b.css'</style>",
            "<iframe srcdoc=\"<link rel=stylesheet href=https://a.example/b>\">",
        ] {
            assert!(has(markup, Beside::Nothing), "{markup}");
        }
        for markup in ["<link rel=stylesheet href=a.css>", "<?xml-stylesheet type='text/css' href='a.css'?><p>"] {
            assert!(has(markup, Beside::Files) && !has(markup, Beside::Nothing), "{markup}");
        }
    }

    #[test]
    fn sheets_of_fonts_and_what_only_looks_like_an_address_are_none() {
        for markup in [
            "<link rel=stylesheet type=text/css href=a.css>data:text/html",
            "<link href='https://Fonts.googleapis.com/css?family=Lato' rel=stylesheet>",
            "<style>@import url(https://fonts.googleapis.com/css2?family=Inter:wght@400;500);@import url(\"a.css\")</style>",
            "<link rel=icon href=https://a.example/b.png>a stylesheet, @important",
            "Write to info@importexport.example, Tel: 030 123, or @import 'https://a.example/b'",
            "<style>/* @import 'https://a.example/b' */</style>",
            "<base target=_blank><link rel=stylesheet href=b.css>",
        ] {
            assert!(!has(markup, Beside::Nothing), "{markup}");
        }
        assert!(!has("<link rel=stylesheet href=''>", Beside::Files));
        assert!(!has("In Swift write @import UIKit;", Beside::Files));
    }

    #[test]
    fn signs_that_begin_nothing_cost_a_look_each() {
        let begun = std::time::Instant::now();
        assert!(!has(&"@\\".repeat(1_000_000), Beside::Files) && !has(&"@".repeat(2_000_000), Beside::Files));
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
