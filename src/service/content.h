// What content, comments and descriptions must be before they are proposed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "model/words.h"
#include "service/context.h"

namespace cc::service {

// exhausted when it is larger than the limit.
Result<> check_size(const Limits& limits, std::string_view content, std::string_view name);
// invalid_argument when a comment or a description is too long or not UTF-8; `what` names it.
Result<> check_text(const Limits& limits, std::string_view text, std::string_view what);

struct Sums {
  std::string md5, sha256;
};

// Parses `content` and sums it up. Blocks for as long as that takes.
Result<Sums> check_content(Format format, std::string_view content, std::string_view name);
// The same, on a worker when the content is large. `content` and `name` stay valid until it returns.
Task<Result<Sums>> check_content_somewhere(Context& context, const Call& call, Format format, std::string_view content,
                                           std::string_view name);

}  // namespace cc::service
