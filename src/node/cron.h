// When something is done again and again, as cron writes it: "0 3 * * *".
#pragma once

#include <string_view>

#include "base/result.h"

namespace cc::node {

// Five fields: minute, hour, day of the month, month, day of the week; each "*", or numbers, names (jan, mon), ranges
// and steps, joined by commas. invalid_argument that names the field that is wrong.
Result<> check_cron(std::string_view text);

}  // namespace cc::node
