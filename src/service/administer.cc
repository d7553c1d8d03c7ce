#include "service/administer.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "proto/command.pb.h"

namespace cc::service {

Task<Result<Done>> propose_done(Context& context, const Call& call, log::Command command) {
  CO_TRY(const log::Outcome outcome, co_await propose(context, call, std::move(command)));
  co_return Done{.revision = outcome.revision(), .created = outcome.created(), .repeated = outcome.repeated_request()};
}

Result<> check_length(const Limits& limits, std::string_view text, std::string_view what) {
  if (text.size() <= limits.comment) return {};
  return fail(Code::invalid_argument,
              fmt::format("the {} has {} bytes; give at most {}", what, text.size(), limits.comment));
}

std::string make_cursor(std::string_view name) {
  return to_base64url(name);
}

Result<std::string> read_cursor(std::string_view cursor) {
  if (auto name = from_base64url(cursor)) return *std::move(name);
  return fail(Code::invalid_argument, "the cursor is none of this list's; give what \"next\" said, or leave it out");
}

}  // namespace cc::service
