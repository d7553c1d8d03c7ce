// Pages of a list: cursors, and taking one item more than asked to know whether there is a next page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "state/queries.h"

namespace cc::state {

// What lists their cursors are of: releases and audit records by their numbers.
constexpr char kByRelease = 'r';
constexpr char kByRecord = 'u';

// The text that the last item of the page before was named by; "" at the start. invalid_argument for a limit that is
// out of range, or a cursor that no list of this kind made.
Result<std::string> begin_page(const PageRequest& page, char kind);
Result<std::uint64_t> begin_numbered_page(const PageRequest& page, char kind, std::uint64_t start);

std::string make_cursor(char kind, std::string_view last);

// Takes items until there are more than the page may hold; `name` says what the cursor after an item holds.
template <class T, class Name>
bool take(Page<T>& page, std::size_t limit, char kind, T item, const Name& name) {
  if (page.items.size() == limit) {
    page.next = make_cursor(kind, name(page.items.back()));
    return false;
  }
  page.items.push_back(std::move(item));
  return true;
}

}  // namespace cc::state
