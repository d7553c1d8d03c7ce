// The format checkers. The first byte picks the format ('0' properties, '1' yaml, '2' json, '3' toml, '4' xml, '5'
// text), the rest is the content.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/parse.hpp>

#include "base/text.h"
#include "model/format.h"
#include "must.h"

namespace {

using cc::fuzz::must;

// Columns that each line has, counted apart from the checkers' own counting: one more than its characters.
std::vector<std::int64_t> columns_of(std::string_view content) {
  std::vector<std::int64_t> columns{1};
  for (std::size_t i = 0; i < content.size(); ++i) {
    const auto byte = static_cast<unsigned char>(content[i]);
    const bool half_of_crlf = byte == '\r' && i + 1 < content.size() && content[i + 1] == '\n';
    if (byte == '\n' || (byte == '\r' && !half_of_crlf)) {
      columns.push_back(1);
    } else if (byte < 0x80 || byte >= 0xC0) {
      ++columns.back();
    }
  }
  return columns;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (size == 0) return 0;
  const auto format = static_cast<cc::Format>(data[0] % 6);
  const std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  const cc::Result<> checked = cc::check_format(format, content);
  if (checked) {
    must(cc::check_format(format, content).has_value(), "accepted content is accepted again");
    if (!content.starts_with(kByteOrderMark)) {
      must(cc::check_format(format, std::string(kByteOrderMark) + content).has_value(),
           "accepted content is accepted after a byte order mark");
    }
    return 0;
  }
  const cc::Error& error = checked.error();
  must(error.code == cc::Code::invalid_argument, "a refusal is an invalid argument");
  must(cc::find_invalid_utf8(error.message) == std::string_view::npos, "a message is valid UTF-8");
  must(error.message.find('\n') == std::string::npos, "a message is one line: " + error.message);
  boost::json::error_code failed;
  const boost::json::value details = boost::json::parse(error.details, failed);
  must(!failed, "details are JSON: " + error.details);
  const std::int64_t line = details.at("line").as_int64();
  const std::int64_t column = details.at("column").as_int64();
  const std::string reason(details.at("reason").as_string());
  must(!reason.empty(), "a refusal has a reason");
  must(error.message == "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + reason,
       "message and details say the same: " + error.message);
  const std::string_view body =
      std::string_view(content).substr(content.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  const std::vector<std::int64_t> columns = columns_of(body);
  must(line >= 1 && line <= static_cast<std::int64_t>(columns.size()),
       "the line is one of the content: " + error.message);
  must(column >= 1 && column <= columns[static_cast<std::size_t>(line - 1)],
       "the column is one of its line: " + error.message);
  return 0;
}
