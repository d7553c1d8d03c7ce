// Foreign text inside a message.
#pragma once

#include <string>
#include <string_view>

namespace cc {

// printable(), in quotation marks, cut after 80 bytes.
std::string quoted(std::string_view text);

}  // namespace cc
