#include "base/result.h"

#include <array>

namespace cc {
namespace {

constexpr std::array<std::string_view, 11> kNames = {
    "invalid_argument", "not_found", "already_exists", "conflict",   "unauthenticated", "permission_denied",
    "unavailable",      "timeout",   "exhausted",      "corruption", "internal"};

}  // namespace

std::string_view to_string(Code code) noexcept {
  return kNames.at(static_cast<std::size_t>(code));
}

Code code_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == name) return static_cast<Code>(i);
  }
  return Code::internal;
}

Error Error::with_context(std::string_view doing) && {
  message.insert(0, ": ");
  message.insert(0, doing);
  return std::move(*this);
}

}  // namespace cc
