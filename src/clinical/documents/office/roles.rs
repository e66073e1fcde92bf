//! What each element of an office document does to the text: WordprocessingML, SpreadsheetML, DrawingML and PresentationML
//! (ECMA-376 part 1, 17 to 21), OpenDocument 1.3 part 3.
//!
//! Called by `reader`. Promises: a pure table. Fails never: an element that is not in it is `Plain`, whose text is told aside.

use super::dialect::Dialect;

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing to the text; what text it holds is told aside, under its name.
    Plain,
    /// Holds text that joins.
    Text,
    /// Holds text that was deleted.
    Gone,
    /// Holds text that joins, or nothing but such elements: blanks in it are blanks.
    Mixed,
    Paragraph,
    /// Holds text, and ends a line.
    Line,
    Run,
    Table,
    Row,
    Cell,
    /// A cell of a spreadsheet, which says which one it is.
    Place,
    /// What is in such a cell, or in a chart.
    Value,
    /// A string of the table of strings.
    Shared,
    /// A story of its own.
    Story,
    /// What a field is made of: its pieces join aside.
    Field,
    FieldEnd,
    Inserted,
    Deleted,
    Alternatives,
    Choice,
    Fallback,
    /// Stands for a character, or several.
    Sign(Sign),
    Tabs,
    /// Properties that say what is not shown.
    Vanish,
    Span,
    /// Defines a style.
    Style,
    /// Gives one to what it stands in.
    Styled,
    ColumnSpan,
    /// Holds a file in letters.
    Binary,
    Formula,
    /// Header or footer of a spreadsheet, with codes in it.
    Coded,
}

/// An element that stands for characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Tab,
    Break,
    Hyphen,
    SoftHyphen,
    Symbol,
    Spaces,
}

pub(super) fn of(dialect: Dialect, local: &str) -> Role {
    match dialect {
        Dialect::Word => word(local),
        Dialect::Sheet => sheet(local),
        Dialect::Drawing => drawing(local),
        Dialect::Math if local == "t" => Role::Text,
        Dialect::Compatibility => compatibility(local),
        Dialect::Package if local == "binaryData" => Role::Binary,
        Dialect::OdfText => odf_text(local),
        Dialect::OdfTable => odf_table(local),
        Dialect::OdfDraw => odf_draw(local),
        Dialect::Odf => odf(local),
        // Visio.
        Dialect::Other if local == "Text" => Role::Paragraph,
        _ => Role::Plain,
    }
}

fn word(local: &str) -> Role {
    match local {
        "t" => Role::Text,
        "r" => Role::Run,
        "p" => Role::Paragraph,
        "tbl" => Role::Table,
        "tr" => Role::Row,
        "tc" => Role::Cell,
        "gridSpan" => Role::ColumnSpan,
        "delText" => Role::Gone,
        "ins" | "moveTo" => Role::Inserted,
        "del" | "moveFrom" => Role::Deleted,
        "instrText" | "delInstrText" => Role::Field,
        "fldChar" => Role::FieldEnd,
        "txbxContent" | "rt" => Role::Story,
        "tabs" => Role::Tabs,
        "tab" | "ptab" => Role::Sign(Sign::Tab),
        "br" | "cr" => Role::Sign(Sign::Break),
        "noBreakHyphen" => Role::Sign(Sign::Hyphen),
        "softHyphen" => Role::Sign(Sign::SoftHyphen),
        "sym" => Role::Sign(Sign::Symbol),
        "vanish" => Role::Vanish,
        "style" => Role::Style,
        "rStyle" | "pStyle" => Role::Styled,
        "binData" => Role::Binary,
        _ => Role::Plain,
    }
}

fn sheet(local: &str) -> Role {
    match local {
        "t" => Role::Text,
        "row" | "Row" => Role::Row,
        "c" | "Cell" => Role::Place,
        "v" | "Data" => Role::Value,
        "si" => Role::Shared,
        "rPh" | "Comment" => Role::Story,
        "f" => Role::Formula,
        "comment" | "is" => Role::Line,
        "oddHeader" | "oddFooter" | "evenHeader" | "evenFooter" | "firstHeader" | "firstFooter" => Role::Coded,
        _ => Role::Plain,
    }
}

fn drawing(local: &str) -> Role {
    match local {
        "t" => Role::Text,
        "p" => Role::Paragraph,
        "br" => Role::Sign(Sign::Break),
        "tab" => Role::Sign(Sign::Tab),
        "tabLst" => Role::Tabs,
        "tbl" => Role::Table,
        "tr" => Role::Row,
        "tc" => Role::Cell,
        "v" => Role::Value,
        _ => Role::Plain,
    }
}

fn compatibility(local: &str) -> Role {
    match local {
        "AlternateContent" => Role::Alternatives,
        "Choice" => Role::Choice,
        "Fallback" => Role::Fallback,
        _ => Role::Plain,
    }
}

fn odf_text(local: &str) -> Role {
    match local {
        "p" | "h" => Role::Paragraph,
        "span" => Role::Span,
        "s" => Role::Sign(Sign::Spaces),
        "tab" | "tab-stop" => Role::Sign(Sign::Tab),
        "line-break" => Role::Sign(Sign::Break),
        "note" | "footnote" | "endnote" | "ruby-text" | "tracked-changes" | "note-body" => Role::Story,
        // Fields, marks and links stand in the line.
        _ => Role::Mixed,
    }
}

fn odf_table(local: &str) -> Role {
    match local {
        "table" => Role::Table,
        "table-row" => Role::Row,
        "table-cell" | "covered-table-cell" => Role::Cell,
        "shapes" | "tracked-changes" => Role::Story,
        _ => Role::Plain,
    }
}

fn odf_draw(local: &str) -> Role {
    match local {
        "page" | "a" | "layer-set" | "layer" => Role::Plain,
        _ => Role::Story,
    }
}

fn odf(local: &str) -> Role {
    match local {
        "annotation" => Role::Story,
        "binary-data" => Role::Binary,
        _ => Role::Plain,
    }
}
