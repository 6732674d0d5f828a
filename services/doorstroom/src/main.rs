//! The launcher as a program.

fn main() -> std::process::ExitCode {
    doorstroom::command_line::main()
}
