//! An exception that ends within the week: whoever approved it and the site's duty are told, once, over a restart too.

use crate::world::{POLICY, Setup, World};

fn exception(name: &str, approved_by: &str) -> String {
    let day = jiff::Zoned::now().date().checked_add(jiff::Span::new().days(5)).unwrap();
    format!(
        "[exception.{name}]\nrules = [\"clinical-verified\"]\nwhen = {{ to = [\"{name}.example\"] }}\nrequire = \"encrypted\"\n\
         until = {day}\nreason = \"Their certificate expired, ref IG-1234\"\napproved-by = \"{approved_by}\"\n"
    )
}

#[test]
fn the_approver_and_the_duty_are_told_once() {
    let world = World::new(186);
    let exchange = world.exchange();
    let first = exception("first", "Caldicott Guardian <guardian@trust.example>");
    let mut gateway = world.gateway(&Setup { policy: &format!("{POLICY}{first}"), ..Setup::default() });
    let told = exchange.wait_for(2);
    let mut readers: Vec<&str> = told.iter().flat_map(|mail| mail.recipients.iter().map(String::as_str)).collect();
    readers.sort_unstable();
    assert_eq!(readers, ["duty@trust.example", "guardian@trust.example"]);
    assert!(
        told.iter().all(|mail| mail.from.is_empty() && mail.text().contains("Subject: The exception first ends on "))
    );
    assert!(told[0].text().contains("Reason: Their certificate expired, ref IG-1234"), "{}", told[0].text());

    gateway.restart_with("more.toml", &exception("second", "the board"));
    let told = exchange.wait_for(3);
    assert!(told[2].text().contains("The exception second ends"), "the first is not told again: {}", told[2].text());
    gateway.wait_until_empty();
    assert_eq!(exchange.received().len(), 3);
}
