// How --help looks.
#pragma once

#include <memory>
#include <string>

namespace CLI {
class FormatterBase;
class Option;
}  // namespace CLI

namespace cc::cli {

// Values by their name ("--file FILE", "[64]" where there is a default) and without the checks on them; text wrapped
// to 110 columns.
std::shared_ptr<CLI::FormatterBase> help_format();

// What an option or argument takes: "FILE", "KEY".
std::string value_name(const CLI::Option& option);

// Words of at most `width` columns a line, joined by newlines; a longer word has its own line.
std::string wrap(const std::string& text, std::size_t width);

}  // namespace cc::cli
