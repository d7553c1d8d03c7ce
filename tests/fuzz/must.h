// What a fuzz target holds to be true of every input.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace cc::fuzz {

inline void must(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what.c_str());
  std::abort();
}

}  // namespace cc::fuzz
