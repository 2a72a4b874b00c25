//! Runs a program and hands on what it says, line by line, as it says it.
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::{Context, Result};

/// Runs a program to its end. Each line of its output and errors goes to `tell`, in the order they come; what is no UTF-8 is
/// replaced. It is given no input.
pub(crate) fn run(command: &mut Command, tell: &mut dyn FnMut(&str)) -> Result<ExitStatus> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting {name}"))?;
    let (sender, lines) = channel();
    let outputs = [child.stdout.take().map(|pipe| read(pipe, sender.clone())), child.stderr.take().map(|pipe| read(pipe, sender))];
    for line in lines {
        tell(&line);
    }
    for thread in outputs.into_iter().flatten() {
        thread.join().ok();
    }
    child.wait().with_context(|| format!("waiting for {name}"))
}

fn read(pipe: impl Read + Send + 'static, sender: Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line);
            if sender.send(text.trim_end_matches(['\n', '\r']).to_owned()).is_err() {
                break;
            }
            line.clear();
        }
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::run;

    #[test]
    fn both_outputs_are_heard_and_the_end_is_told() {
        let mut heard = Vec::new();
        let script = "echo one; echo two >&2; printf 'no end'; exit 3";
        let status = run(Command::new("sh").args(["-c", script]), &mut |line| heard.push(line.to_owned())).unwrap();
        heard.sort();
        assert_eq!((heard, status.code()), (vec!["no end".to_owned(), "one".to_owned(), "two".to_owned()], Some(3)));
        assert!(run(&mut Command::new("no-such-program-here"), &mut |_| {}).unwrap_err().to_string().contains("no-such-program-here"));
    }
}
