#include "cli/password_option.h"

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "cli/session.h"
#include "cli/terminal.h"

namespace cc::cli {
namespace {

std::string without_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

void add_password_options(CLI::App& command, PasswordOption& option) {
  CLI::Option* input = command.add_flag("--password-stdin", option.from_input, "Read the password from standard input");
  command.add_option("--password-file", option.file, "Read the password from a file")
      ->type_name("FILE")
      ->excludes(input);
}

Result<std::string> password_of(const PasswordOption& option, std::string_view question, bool is_new) {
  if (option.from_input) {
    TRY(std::string text, read_input());
    return without_newline(std::move(text));
  }
  if (!option.file.empty()) {
    TRY(std::string text, read_file(option.file));
    return without_newline(std::move(text));
  }
  auto first = ask(question, true);
  if (!first) {
    return wrong_usage("nobody can be asked for the password here; give it with --password-stdin or --password-file");
  }
  if (is_new) {
    TRY(const std::string second, ask("The same again: ", true));
    if (second != *first) return fail(Code::invalid_argument, "the two passwords differ; nothing was changed");
  }
  return first;
}

}  // namespace cc::cli
