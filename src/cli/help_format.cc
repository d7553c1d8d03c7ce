#include "cli/help_format.h"

#include <CLI/CLI.hpp>

#include "base/table.h"
#include "base/text.h"

namespace cc::cli {
namespace {

constexpr std::size_t kColumns = 110;
constexpr std::size_t kFirstColumn = 34;

class HelpFormat final : public CLI::Formatter {
 public:
  HelpFormat() {
    column_width(kFirstColumn);
    label("Positionals", "Arguments");
    label("SUBCOMMAND", "COMMAND");
  }

  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    std::string out = CLI::Formatter::make_group(std::move(group), is_positional, std::move(options));
    while (out.ends_with("\n\n"))
      out.pop_back();
    return out;
  }

  std::string make_footer(const CLI::App* command) const override {
    return std::string(trim(command->get_footer())) + "\n";
  }

  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    return is_positional ? value_name(*option) : CLI::Formatter::make_option_name(option, false);
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_positional() || option->get_items_expected_max() == 0) return "";
    const std::string before = option->get_default_str();
    return " " + value_name(*option) + (before.empty() ? "" : " [" + before + "]");
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    return wrap(option->get_description(), kColumns - kFirstColumn);
  }

  std::string make_subcommand(const CLI::App* command) const override {
    std::stringstream out;
    CLI::detail::format_help(out, command->get_name(), wrap(command->get_description(), kColumns - kFirstColumn),
                             kFirstColumn);
    return out.str();
  }
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_format() {
  return std::make_shared<HelpFormat>();
}

std::string value_name(const CLI::Option& option) {
  // CLI11 appends what its checks say of themselves: "FORMAT:{yaml,json}". A default may hold a colon, too.
  const std::string type = option.get_type_name();
  return type.starts_with('[') ? type : type.substr(0, type.find(':'));
}

std::string wrap(const std::string& text, std::size_t width) {
  std::string out, line;
  for (const std::string_view word : split(text, ' ')) {
    if (!line.empty() && display_width(line) + 1 + word.size() > width) {
      out += line + "\n";
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  return out + line;
}

}  // namespace cc::cli
