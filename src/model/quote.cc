#include "model/quote.h"

#include "base/text.h"

namespace cc {

std::string quoted(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  return '"' + printable(text, kLongest, "\"\\") + '"';
}

}  // namespace cc
