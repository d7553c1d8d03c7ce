// Takes out of a container what matches, in order; the rest stays.
#pragma once

#include <utility>
#include <vector>

namespace cc::consensus {

template <class Container, class Matches>
std::vector<typename Container::value_type> take_if(Container& all, Matches matches) {
  std::vector<typename Container::value_type> taken;
  Container rest;
  for (auto& each : all) {
    if (matches(std::as_const(each))) {
      taken.push_back(std::move(each));
    } else {
      rest.push_back(std::move(each));
    }
  }
  all.swap(rest);
  return taken;
}

}  // namespace cc::consensus
