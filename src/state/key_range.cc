#include "state/key_range.h"

namespace cc::state {
namespace {

// Takes the part before the next '/' from the front.
std::string_view take_part(std::string_view& key) {
  const std::size_t slash = key.find('/');
  const std::string_view part = key.substr(0, slash);
  key.remove_prefix(slash == std::string_view::npos ? key.size() : slash + 1);
  return part;
}

bool agrees(const std::string& wanted, std::string_view part) {
  return wanted.empty() || wanted == part;
}

}  // namespace

KeyRange::KeyRange(const ConfigFilter& filter) : filter_(filter) {
  for (const std::string* part : {&filter.environment, &filter.application, &filter.cluster}) {
    if (part->empty()) return;
    prefix_ += *part;
    prefix_ += '/';
  }
  prefix_ += filter.prefix;
}

std::string KeyRange::start(const std::string& after) const {
  if (after.empty()) return prefix_;
  return after + '\0';  // the first text after it
}

bool KeyRange::matches(std::string_view key) const {
  if (!filter_.in_content && key.find(filter_.text) == std::string_view::npos) return false;
  return agrees(filter_.environment, take_part(key)) && agrees(filter_.application, take_part(key)) &&
         agrees(filter_.cluster, take_part(key)) && key.starts_with(filter_.prefix);
}

}  // namespace cc::state
