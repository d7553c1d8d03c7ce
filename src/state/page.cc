#include "state/page.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"

namespace cc::state {
namespace {

constexpr std::size_t kMostItems = 1000;

std::unexpected<Error> unknown_cursor() {
  return fail(Code::invalid_argument, "the cursor is none that this list gave: start again without one");
}

}  // namespace

Result<std::string> begin_page(const PageRequest& page, char kind) {
  if (page.limit == 0 || page.limit > kMostItems)
    return fail(Code::invalid_argument, fmt::format("limit is {}; it must be 1 to {}", page.limit, kMostItems));
  if (page.cursor.empty()) return std::string();
  const auto text = from_base64url(page.cursor);
  if (!text || text->size() < 2 || text->front() != kind) return unknown_cursor();
  return text->substr(1);
}

Result<std::uint64_t> begin_numbered_page(const PageRequest& page, char kind, std::uint64_t start) {
  TRY(const std::string last, begin_page(page, kind));
  if (last.empty()) return start;
  const auto number = parse_uint(last, "cursor");
  if (!number || *number > start) return unknown_cursor();
  return *number;
}

std::string make_cursor(char kind, std::string_view last) {
  return to_base64url(kind + std::string(last));
}

}  // namespace cc::state
