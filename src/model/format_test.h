// For the tests of the checkers: what was answered, as one string.
#pragma once

#include <string>
#include <string_view>

#include "model/format.h"

namespace cc {

inline std::string verdict(Format format, std::string_view content) {
  const Result<> checked = check_format(format, content);
  return checked ? "accepted" : checked.error().message;
}

inline std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

}  // namespace cc
