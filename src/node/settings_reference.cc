#include <fmt/format.h>

#include "base/text.h"
#include "node/settings.h"

namespace cc::node {

std::string settings_reference() {
  std::string out;
  std::string_view section;
  for (const Setting& setting : all_settings()) {
    const std::size_t dot = setting.name.find('.');
    const std::string_view its = dot == std::string_view::npos ? "the node" : setting.name.substr(0, dot);
    if (its != section) {
      section = its;
      out += fmt::format("{}## {}\n\n| setting | default | meaning |\n| --- | --- | --- |\n", out.empty() ? "" : "\n",
                         section);
    }
    const std::string shown = !setting.default_in_words.empty() ? std::string(setting.default_in_words)
                              : setting.default_text.empty()    ? ""
                                                                : fmt::format("`{}`", setting.default_text);
    const std::string variable = setting.variable.empty() ? "" : fmt::format(" (`{}`)", setting.variable);
    out += fmt::format("| `{}`{} | {} | {}{} |\n", setting.name, variable, shown, setting.meaning,
                       setting.secret ? "; secret" : "");
  }
  return out;
}

}  // namespace cc::node
