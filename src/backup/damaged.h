// The error of a backup that is not as it was made. Inside src/backup.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/result.h"

namespace cc::backup {

inline std::unexpected<Error> damaged(const std::string& where, std::string_view how) {
  return fail(Code::corruption,
              fmt::format("the backup {} is damaged ({}): nothing of it was used; take another one", where, how));
}

}  // namespace cc::backup
