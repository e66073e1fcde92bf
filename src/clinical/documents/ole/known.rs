//! What the streams of ordinary documents are for.
//!
//! Called by `ole`. Promises: a name that is not here is not known. Fails never.

use super::files::Storage;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// [MS-OLEPS]
    Properties,
    /// [MS-OLEDS] 2.3.6: an object of OLE 1.
    Native,
    /// A file as it stands.
    File,
    /// Pictures of a document.
    Pictures,
    /// An equation, drawn by its editor.
    Equation,
    /// Of use to programmes only.
    Structure,
    Unknown,
}

/// What only programmes use; in lower case.
const STRUCTURE: &[&str] = &[
    "0table",
    "1table",
    "current user",
    "ctls",
    "revision log",
    "user names",
    "list data",
    "\u{1}compobj",
    "\u{1}ole",
    "\u{3}objinfo",
    "\u{3}ocxname",
    "\u{3}linkinfo",
    "\u{3}eprint",
    "\u{3}print",
    "\u{3}meta",
    "\u{3}ocxdata",
    "\u{1}ole10itemname",
    "ole10itemname",
    "\u{6}dataspaces",
    "version",
    "dataspacemap",
    "encryptioninfo",
    "encryptedpackage",
    "\u{6}primary",
    "encryptedsummary",
    "xmlsignatures",
    "_signatures",
    "macros",
    "msodatastore",
    "properties",
    "header",
    "text_content",
    "_vba_project",
    "project",
    "projectwm",
    "projectlk",
    "dir",
    "o",
    "f",
    "\u{3}vbframe",
    "toc",
    "sst",
    "smartart",
    "\u{3}pic",
    "\u{3}pict",
    "\u{1}ole10fmtprogid",
    // [MS-OFFCRYPTO] 2.1: how a closed document is closed.
    "strongencryptiondataspace",
    "drmencrypteddataspace",
    "\u{9}drmdataspace",
    "strongencryptiontransform",
    // Settings of Kingsoft's programmes, and what their sheets remember of formats.
    "wpscustomdata",
    "etextdata",
];

/// [MS-DOC] 2.1, [MS-XLS] 2.1.7, [MS-PPT] 2.1, [MS-OLEDS] 2.3, [MS-OVBA] 2.2, [MS-OFFCRYPTO] 2.1.
pub(super) fn of(name: &str) -> Use {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "package" | "contents" => Use::File,
        "\u{1}ole10native" => Use::Native,
        "data" | "pictures" => Use::Pictures,
        "equation native" => Use::Equation,
        known if STRUCTURE.contains(&known) => Use::Structure,
        other if other.starts_with('\u{5}') => Use::Properties,
        other if other.starts_with("\u{2}olepres") || other.starts_with("__srp_") => Use::Structure,
        // [MS-OXMSG] 2.1: what has no reader of its own there.
        other if other.starts_with("__substg1.0_") || other.starts_with("__properties_") => Use::Structure,
        _ => Use::Unknown,
    }
}

/// Custom XML of a Word document: [MS-DOC] 2.1. Each is a file, and there may be none but empty ones.
pub(super) fn is_of_datastore(storage: &Storage) -> bool {
    storage.path.to_ascii_lowercase().starts_with("msodatastore/")
}

/// A project of Visual Basic, a form or an equation: nothing that is read, and nothing that a reader is shown.
pub(super) fn is_of_programme(storage: &Storage) -> bool {
    storage.has("_VBA_PROJECT") || storage.has("PROJECTwm") || storage.has("Equation Native")
}
