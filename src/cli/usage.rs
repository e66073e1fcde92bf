//! What the command line's parser finds wrong, said as every other error is: what happened, then one hint.
//!
//! Called by `run` before any command. Promises: exit code 2 and a last line `hint:` for what was typed wrongly; help and
//! version, which were asked for, go out as they are with 0. Never fails.

use super::Failure;
use clap::error::{Error, ErrorKind};
use std::process::ExitCode;

/// Says what is wrong with the command line, or what was asked of it.
pub(super) fn print(error: &Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Who does not read does not want to know.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    let (text, hint) = told(&error.render().to_string());
    Failure::usage(text, &hint).print()
}

/// The text without the parser's own last words, and the hint that it has or gets.
fn told(rendered: &str) -> (String, String) {
    let (mut hint, mut usage, mut text) = (None, None, Vec::new());
    for line in rendered.lines() {
        let trimmed = line.trim_start();
        if let Some(tip) = trimmed.strip_prefix("tip: ").or_else(|| trimmed.strip_prefix("hint: ")) {
            hint.get_or_insert_with(|| tip.to_owned());
        } else if !trimmed.starts_with("For more information, try") {
            usage = usage.or_else(|| trimmed.strip_prefix("Usage: "));
            text.push(line);
        }
    }
    let words = usage.unwrap_or("mailward").split_whitespace();
    let command: Vec<&str> = words.take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).collect();
    let help = format!("`{} --help` shows what it takes, with an example", command.join(" "));
    // Paragraphs that lost their only line leave no gap.
    let mut text = text.join("\n");
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    (text.trim_end().to_owned(), hint.unwrap_or(help))
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn the_parsers_last_words_become_one_hint() {
        let (text, hint) = told(
            "error: a value is required for '--because <TEXT>' but none was supplied\n\n\
             For more information, try '--help'.\n",
        );
        assert_eq!(text, "error: a value is required for '--because <TEXT>' but none was supplied");
        assert_eq!(hint, "`mailward --help` shows what it takes, with an example");
        let (text, hint) = told(
            "error: unrecognized subcommand 'lst'\n\n  tip: a similar subcommand exists: 'list'\n\n\
             Usage: mailward queue [OPTIONS]\n\nFor more information, try '--help'.\n",
        );
        assert_eq!(text, "error: unrecognized subcommand 'lst'\n\nUsage: mailward queue [OPTIONS]");
        assert_eq!(hint, "a similar subcommand exists: 'list'");
        let (_, hint) =
            told("error: x\n\nUsage: mailward queue list [OPTIONS]\n\nFor more information, try '--help'.\n");
        assert_eq!(hint, "`mailward queue list --help` shows what it takes, with an example");
    }
}
