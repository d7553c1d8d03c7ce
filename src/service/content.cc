#include "service/content.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/text.h"
#include "model/format.h"
#include "service/on_worker.h"

namespace cc::service {
namespace {

// Below this, checking takes less than handing it to another thread is worth.
constexpr std::size_t kLarge = 32 * 1024;

}  // namespace

Result<> check_size(const Limits& limits, std::string_view content, std::string_view name) {
  if (content.size() <= limits.content) return {};
  return fail(Code::exhausted,
              fmt::format("{} has {}; a config may have {} (setting server.max_content)", name,
                          format_size(content.size()), format_size(limits.content)),
              fmt::format(R"({{"size_bytes":{},"limit_bytes":{}}})", content.size(), limits.content));
}

Result<> check_text(const Limits& limits, std::string_view text, std::string_view what) {
  if (text.size() > limits.comment) {
    return fail(Code::invalid_argument,
                fmt::format("the {} has {} bytes; give at most {}", what, text.size(), limits.comment));
  }
  if (const auto at = find_invalid_utf8(text); at != std::string_view::npos) {
    return fail(Code::invalid_argument, fmt::format("the {} is not UTF-8: see its byte {}", what, at));
  }
  return {};
}

Result<Sums> check_content(Format format, std::string_view content, std::string_view name) {
  if (auto checked = check_format(format, content); !checked) {
    return fail(std::move(checked).error().with_context(name));
  }
  return Sums{.md5 = md5_hex(content), .sha256 = sha256_hex(content)};
}

Task<Result<Sums>> check_content_somewhere(Context& context, const Call& call, Format format, std::string_view content,
                                           std::string_view name) {
  if (content.size() < kLarge) co_return check_content(format, content, name);
  co_return co_await on_worker(context, call, Work::document,
                               [&](const Deadline&) { return check_content(format, content, name); });
}

}  // namespace cc::service
