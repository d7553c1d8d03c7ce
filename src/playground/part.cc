#include "playground/part.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace cc::playground {

std::string Site::address(const std::string& name) const {
  return fmt::format("127.0.0.1:{}", port(name));
}

std::string Site::addresses(std::string_view name, unsigned count, char separator) const {
  std::string all;
  for (unsigned number = 1; number <= count; ++number) {
    if (number > 1) all += separator;
    all += address(numbered(name, number));
  }
  return all;
}

Part all_of(const Site& site) {
  if (!site.layout.full) return nodes(site);
  Part all;
  for (const auto part : {load_balancers, nodes, databases, caches, monitoring}) {
    Part one = part(site);
    std::ranges::move(one.components, std::back_inserter(all.components));
    std::ranges::move(one.files, std::back_inserter(all.files));
  }
  return all;
}

}  // namespace cc::playground
