// Where commands that need a password take it from; never from an argument, which others on the machine can see.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace CLI {
class App;
}

namespace cc::cli {

struct PasswordOption {
  bool from_input = false;  // --password-stdin
  std::string file;         // --password-file
};

void add_password_options(CLI::App& command, PasswordOption& option);

// Without one trailing newline. Asks at the terminal, twice when it is a new password, unless an option says where
// it is. Wrong usage when nobody can be asked.
Result<std::string> password_of(const PasswordOption& option, std::string_view question, bool is_new);

}  // namespace cc::cli
