// Small readers of header values, free of Beast and of allocations.
#pragma once

#include <string_view>

namespace cc::http {

// A character of RFC 9110's `token`.
bool is_token_character(char c) noexcept;

std::string_view trim_blanks(std::string_view text) noexcept;  // SP and HTAB only

// Takes the first element of a comma-separated list off `rest`; commas inside quotes do not separate.
std::string_view next_element(std::string_view& rest) noexcept;

}  // namespace cc::http
