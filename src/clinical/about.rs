//! What the fields of an entity say about its body, where they may say it twice.
//!
//! Called by `walk`; read by `leaf`. Promises: of fields that disagree three are kept, and the conflict is known. Fails never.

use super::fields::{Content, content};

/// What the fields of an entity say about its body.
#[derive(Debug, Default)]
pub(super) struct About {
    pub types: Vec<Content>,
    pub encodings: Vec<String>,
    pub disposition: Option<Content>,
    /// What later fields of the kind say, if that differs.
    other_dispositions: Vec<Content>,
    pub has_id: bool,
    pub conflict: bool,
}

impl About {
    /// All names that it is given: readers show one or the other.
    pub fn names<'a>(&'a self, content: &'a Content) -> impl Iterator<Item = &'a str> {
        let said = self.disposition.iter().chain(&self.other_dispositions).chain([content]);
        said.flat_map(|said| said.name.iter().chain(&said.other_names).map(String::as_str))
    }

    /// The file name, wherever it stands.
    pub fn name<'a>(&'a self, content: &'a Content) -> Option<&'a str> {
        self.disposition.as_ref().and_then(|d| d.name.as_deref()).or(content.name.as_deref())
    }

    pub fn add_type(&mut self, content: Content) {
        self.conflict |= content.is_cut
            || content.boundaries.len() > 1
            || (!self.types.is_empty() && !self.types.contains(&content));
        if self.types.len() < 3 && !self.types.contains(&content) {
            self.types.push(content);
        }
    }

    pub fn add_disposition(&mut self, content: Content) {
        self.conflict |= content.is_cut;
        match &self.disposition {
            None => self.disposition = Some(content),
            Some(first) if *first == content => {}
            Some(_) => {
                self.conflict = true;
                if self.other_dispositions.len() < 2 {
                    self.other_dispositions.push(content);
                }
            }
        }
    }

    pub fn add_encoding(&mut self, value: &[u8]) {
        let encoding = content(value).kind;
        self.conflict |= !self.encodings.is_empty() && !self.encodings.contains(&encoding);
        if self.encodings.len() < 3 && !self.encodings.contains(&encoding) {
            self.encodings.push(encoding);
        }
    }
}
