//! Manual pages, made of what `--help` says: one for the program, and one for each of its commands with those below it.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Outcome;
use super::args::Cli;
use crate::api::ApiError;

/// What an apostrophe is, which begins whatever the library writes.
const DEFINITIONS: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// Writes all pages into a directory.
pub fn write(directory: &Path, out: &super::out::Out) -> Outcome {
    let written = || -> io::Result<usize> {
        std::fs::create_dir_all(directory)?;
        let pages = pages()?;
        pages.iter().try_for_each(|(name, page)| std::fs::write(directory.join(name), page))?;
        Ok(pages.len())
    };
    let count =
        written().map_err(|error| ApiError::failure(format!("cannot write to {}: {error}", directory.display())))?;
    out.talk(&format!("wrote {count} pages"));
    Ok(())
}

/// Every page with the name of its file.
pub fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut program = Cli::command().version(env!("CARGO_PKG_VERSION"));
    program.build();
    let mut pages = vec![("dak.1".to_owned(), page(&program, "dak", &[])?)];
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = format!("dak-{}", command.get_name());
        pages.push((format!("{name}.1"), page(command, &name, &below(command))?));
    }
    Ok(pages)
}

/// The commands below one, at any depth.
fn below(command: &clap::Command) -> Vec<&clap::Command> {
    let inner = command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help");
    inner.flat_map(|inner| std::iter::once(inner).chain(below(inner))).collect()
}

fn page(command: &clap::Command, title: &str, below: &[&clap::Command]) -> io::Result<Vec<u8>> {
    let version = concat!("dak ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title(title.to_owned()).source(version).manual("dak");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for inner in below {
        let inner_man = Man::new((*inner).clone());
        let name = inner.get_bin_name().unwrap_or(inner.get_name()).to_uppercase();
        Roff::new().control("SH", [name.as_str()]).to_writer(&mut page)?;
        let mut part = Vec::new();
        inner_man.render_synopsis_section(&mut part)?;
        inner_man.render_description_section(&mut part)?;
        inner_man.render_options_section(&mut part)?;
        // Its sections are parts of this one.
        let part = String::from_utf8_lossy(&part).replace("\n.SH ", "\n.SS ");
        page.extend_from_slice(part.strip_prefix(".SH ").map_or(part.clone(), |rest| format!(".SS {rest}")).as_bytes());
    }
    if below.is_empty() && command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    man.render_extra_section(&mut page)?;
    if title != "dak" {
        Roff::new().control("SH", ["SEE ALSO"]).text([roman("dak(1)")]).to_writer(&mut page)?;
    }
    // Each part brings the same definitions; once is enough.
    let text = String::from_utf8_lossy(&page);
    Ok(format!("{DEFINITIONS}{}", text.replace(DEFINITIONS, "")).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_that_says_all_of_its_options() {
        let pages = pages().unwrap();
        let page_of = |name: &str| {
            let page = pages.iter().find(|(file, _)| file == name).unwrap_or_else(|| panic!("no {name}"));
            String::from_utf8(page.1.clone()).unwrap()
        };
        let mut program = Cli::command();
        program.build();
        assert!(page_of("dak.1").contains(".SH NAME\ndak \\- "));
        let mut options = 0;
        for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
            let page = page_of(&format!("dak-{}.1", command.get_name()));
            assert_eq!(page.matches(DEFINITIONS).count(), 1);
            for part in std::iter::once(command).chain(below(command)) {
                for long in part.get_arguments().filter(|option| !option.is_hide_set()).filter_map(clap::Arg::get_long)
                {
                    let option = format!("\\-\\-{}", long.replace('-', "\\-"));
                    assert!(page.contains(&option), "{} says nothing of --{long}", command.get_name());
                    options += 1;
                }
            }
        }
        assert!(options > 100 && !pages.iter().any(|(name, _)| name == "dak-man.1"));
    }
}
