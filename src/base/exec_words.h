// Words as exec and posix_spawn want them.
#pragma once

#include <string>
#include <vector>

namespace cc {

// A pointer to each, and a null pointer at the end; valid as long as the texts are there, unchanged.
inline std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& each : texts)
    pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace cc
