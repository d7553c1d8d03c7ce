#include "deploy/templates.h"

#include <fmt/format.h>

#include "embedded/topologies.h"

namespace cc::deploy {

std::span<const std::pair<std::string_view, std::string_view>> topology_templates() {
  return embedded::topologies;
}

Result<std::string_view> topology_template(std::string_view name) {
  std::string names;
  for (const auto& [file, text] : embedded::topologies) {
    const std::string_view known = file.substr(0, file.find('.'));
    if (known == name) return text;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", known);
  }
  return fail(Code::not_found, fmt::format("there is no template \"{}\"; there are {}", name, names));
}

}  // namespace cc::deploy
