// Foreign text inside a message.
#pragma once

#include <string>
#include <string_view>

namespace cc {

// In quotation marks, on one line: control characters and bytes that are not UTF-8 as \xNN, cut after 80 bytes with
// "…".
std::string quoted(std::string_view text);

// A library's message, which may quote anything: control characters and bytes that are not UTF-8 as \xNN.
std::string on_one_line(std::string_view text);

}  // namespace cc
