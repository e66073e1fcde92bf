//! The control words that carry text or say where it goes: RTF 1.9.1, and [MS-OXRTFEX] 2.1.3.1 for HTML inside.
//!
//! Called by `state`. Promises: a word that is not here changes nothing about the text around it. Fails never.

use super::flow::Holds;

/// What a destination holds; nothing for other words.
pub(super) fn destination(name: &[u8]) -> Option<Holds> {
    Some(match name {
        b"objdata" | b"datastore" => Holds::Object,
        b"pict" => Holds::Picture,
        b"themedata" | b"colorschememapping" => Holds::File,
        b"htmltag" => Holds::Html,
        b"fldinst" => Holds::Named("fldinst"),
        b"title" => Holds::Named("title"),
        b"subject" => Holds::Named("subject"),
        b"author" => Holds::Named("author"),
        b"keywords" => Holds::Named("keywords"),
        b"doccomm" => Holds::Named("comments"),
        b"propname" => Holds::Named("propname"),
        b"staticval" => Holds::Named("staticval"),
        b"bkmkstart" => Holds::Named("bkmkstart"),
        b"bkmkend" => Holds::Named("bkmkend"),
        b"pntxta" => Holds::Named("pntxta"),
        b"pntxtb" => Holds::Named("pntxtb"),
        b"shptxt" => Holds::Named("shptxt"),
        b"docvar" => Holds::Named("docvar"),
        b"listtable" | b"listoverridetable" => Holds::Named("lists"),
        b"annotation" | b"atnauthor" | b"atnid" | b"category" | b"colortbl" | b"comment" | b"company"
        | b"dptxbxtext" | b"ffdeftext" | b"ffentrytext" | b"ffhelptext" | b"ffl" | b"ffname" | b"ffstattext"
        | b"filetbl" | b"fonttbl" | b"footer" | b"footerf" | b"footerl" | b"footerr" | b"footnote" | b"ftncn"
        | b"ftnsep" | b"ftnsepc" | b"header" | b"headerf" | b"headerl" | b"headerr" | b"hlinkbase" | b"info"
        | b"linkval" | b"manager" | b"nonshppict" | b"objclass" | b"objname" | b"operator" | b"revtbl" | b"rxe"
        | b"shppict" | b"shprslt" | b"sn" | b"stylesheet" | b"sv" | b"tc" | b"tcn" | b"txe" | b"ud" | b"userprops"
        | b"xe" => Holds::Text,
        _ => return None,
    })
}

/// A drawing in a language of its own.
pub(super) fn is_drawing(name: &[u8]) -> bool {
    matches!(name, b"wmetafile" | b"emfblip" | b"macpict" | b"pmmetafile")
}

/// The character that a word stands for.
pub(super) fn character(name: &[u8]) -> Option<char> {
    Some(match name {
        b"par" | b"line" | b"sect" | b"page" | b"column" | b"row" | b"nestrow" | b"softline" | b"softpage" | b"lbr" => {
            '\n'
        }
        b"tab" | b"cell" | b"nestcell" => '\t',
        b"emdash" => '\u{2014}',
        b"endash" => '\u{2013}',
        b"emspace" => '\u{2003}',
        b"enspace" => '\u{2002}',
        b"qmspace" => '\u{2005}',
        b"bullet" => '\u{2022}',
        b"lquote" => '\u{2018}',
        b"rquote" => '\u{2019}',
        b"ldblquote" => '\u{201C}',
        b"rdblquote" => '\u{201D}',
        b"zwbo" => '\u{200B}',
        b"zwnbo" => '\u{2060}',
        b"zwj" => '\u{200D}',
        b"zwnj" => '\u{200C}',
        _ => return None,
    })
}

/// The character that a control symbol stands for.
pub(super) fn symbol(symbol: u8) -> Option<char> {
    Some(match symbol {
        b'~' => '\u{A0}',
        b'_' => '\u{2011}',
        b'-' => '\u{AD}',
        b'\r' | b'\n' => '\n',
        b'\t' => '\t',
        b'\\' | b'{' | b'}' => char::from(symbol),
        _ => return None,
    })
}
