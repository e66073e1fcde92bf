//! Elements of Word's that are in no text, and which say something of it.
//!
//! Called by `reader`. Promises: a table. Fails never: what is not in it is counted, or says nothing.

use super::super::super::instructions::Kind;
use super::super::xml::Element;
use super::Reader;

impl<'a> Reader<'a, '_> {
    /// An element of Word's that is in no text.
    pub fn plain(&mut self, element: &Element<'a, '_>) {
        match element.local {
            "basedOn" => self.styles.derive(element),
            "fldSimple" => self.simple_field(element),
            "bookmarkStart" | "bookmarkEnd" => self.bookmark(element),
            "drawing" | "pict" => self.box_place(element),
            "framePr" => self.frame_place(element),
            "listEntry" | "result" | "default" => self.of_form(element),
            "sdt" | "sdtContent" | "dataBinding" | "dropDownList" | "comboBox" | "listItem" => self.of_control(element),
            "color" | "sz" | "webHidden" => self.faint(element),
            "docVar" => {
                let [name, value] = ["name", "val"].map(|name| element.attribute(name).unwrap_or_default());
                self.counts.values.set(Kind::Variable, &name, &value);
            }
            _ => self.counted(element),
        }
    }
}
