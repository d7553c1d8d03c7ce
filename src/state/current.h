// What is newest of configs: what each command about a config asks first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "model/words.h"

namespace cc::state {

// The newest release of a config, or its tombstone, without content.
struct Current {
  std::uint64_t number = 0;  // config.number
  Version version = 0;
  Revision revision = 0;
  bool deleted = false, secret = false;
  std::string format, md5, sha256;
  std::uint64_t size = 0;
};

// Of the configs that were changed or asked for lately, as the open transaction has them: a config that is changed
// often is not read from the file each time.
class LatelyUsed {
 public:
  const Current* find(const std::string& key) const {
    const auto at = all_.find(key);
    return at == all_.end() ? nullptr : &at->second;
  }
  void put(const std::string& key, Current current) {
    if (all_.size() >= kMost) all_.clear();
    all_.insert_or_assign(key, std::move(current));
  }

 private:
  static constexpr std::size_t kMost = 2048;
  std::unordered_map<std::string, Current> all_;
};

}  // namespace cc::state
