#include "state/key_range.h"

#include <array>

namespace cc::state {
namespace {

std::array<const std::string*, 3> places_of(const ConfigFilter& filter) {
  return {&filter.environment, &filter.application, &filter.cluster};
}

bool agrees(const std::string& wanted, std::string_view part) {
  return wanted.empty() || wanted == part;
}

// The key up to `head`, with `wanted` there: when that comes behind the key. Else what comes behind all that has this
// head, which ends with '/'.
std::optional<std::string> behind(std::string_view key, std::size_t head, const std::string& wanted) {
  std::string next(key.substr(0, head));
  if (key.substr(head) < wanted) return next + wanted;
  if (next.empty()) return std::nullopt;
  next.back() = '/' + 1;
  return next;
}

}  // namespace

std::string KeyRange::start(const std::string& after) const {
  if (!after.empty()) return after + '\0';  // the first text after it
  std::string from;
  for (const std::string* wanted : places_of(filter_)) {
    if (wanted->empty()) return from;
    from += *wanted + '/';
  }
  return from + filter_.prefix;
}

bool KeyRange::is_in_place(std::string_view key) const {
  const KeyParts parts = parts_of(key);
  return agrees(filter_.environment, parts.environment) && agrees(filter_.application, parts.application) &&
         agrees(filter_.cluster, parts.cluster) && parts.name.starts_with(filter_.prefix);
}

bool KeyRange::has_text(std::string_view key) const {
  return filter_.in_content || key.contains(filter_.text);
}

std::optional<std::string> KeyRange::next_place(std::string_view key) const {
  std::size_t head = 0;  // up to here it is as it should be
  for (const std::string* wanted : places_of(filter_)) {
    const std::size_t slash = key.find('/', head);
    if (!wanted->empty() && key.substr(head, slash - head) != *wanted) return behind(key, head, *wanted + '/');
    head = slash + 1;
  }
  return behind(key, head, filter_.prefix);
}

}  // namespace cc::state
