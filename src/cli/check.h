// Checks on what options are given, that say what would be right.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cc::cli {

// An empty answer is: fine.
using Check = std::function<std::string(const std::string&)>;

Check one_of(std::vector<std::string> allowed);
Check between(std::uint64_t least, std::uint64_t most);
Check positive();
Check whole_number();  // from 0; a negative one would wrap around

}  // namespace cc::cli
