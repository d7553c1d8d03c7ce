#include "state/key_range.h"

namespace cc::state {
namespace {

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
  const KeyParts parts = parts_of(key);
  return agrees(filter_.environment, parts.environment) && agrees(filter_.application, parts.application) &&
         agrees(filter_.cluster, parts.cluster) && parts.name.starts_with(filter_.prefix);
}

}  // namespace cc::state
