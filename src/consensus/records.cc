#include "consensus/records.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/little_endian.h"
#include "base/text.h"

namespace cc::consensus {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestReason = 1024;

std::size_t limit_of(RecordType type) {
  if (type == RecordType::message) return kLargestMessage;
  return type == RecordType::chunk ? kLargestChunk : kLargestControl;
}

std::unexpected<Error> not_understood(std::string_view what) {
  return fail(Code::corruption, fmt::format("the other node sent {} that is none", what));
}

json::object to_json(const Error& error) {
  return {{"code", to_string(error.code)}, {"message", printable(error.message, kLongestReason)}};
}

// Throws what Boost.JSON throws.
Error error_from(const json::value& value) {
  return {code_of(value.at("code").as_string()), printable(value.at("message").as_string(), kLongestReason)};
}

}  // namespace

void append_record_header(RecordType type, std::size_t size, std::string& to) {
  char header[kRecordHeader];
  header[0] = static_cast<char>(type);
  put_little_endian(header + 1, static_cast<std::uint32_t>(size));
  to.append(header, sizeof header);
}

void append_record(RecordType type, std::string_view content, std::string& to) {
  append_record_header(type, content.size(), to);
  to += content;
}

Result<std::optional<Record>> RecordReader::next() {
  if (!record_) {
    const std::string_view rest = std::string_view(input_).substr(at_);
    if (rest.size() < kRecordHeader) {
      input_.erase(0, at_);
      at_ = 0;
      return std::nullopt;
    }
    const auto type = static_cast<RecordType>(rest[0]);
    if (type < RecordType::introduction || type > RecordType::end) return not_understood("a record");
    missing_ = get_little_endian<std::uint32_t>(rest.substr(1));
    if (missing_ > limit_of(type)) {
      return fail(Code::corruption, fmt::format("the other node sent a record of {} bytes; at most {} are taken",
                                                missing_, limit_of(type)));
    }
    record_.emplace(type);
    record_->content.reserve(missing_);
    at_ += kRecordHeader;
  }
  const std::size_t piece = std::min(missing_, input_.size() - at_);
  record_->content.append(input_, at_, piece);
  at_ += piece;
  missing_ -= piece;
  if (at_ == input_.size()) {
    input_.clear();
    at_ = 0;
  }
  if (missing_ > 0) return std::nullopt;
  return std::exchange(record_, std::nullopt);
}

std::string encode(const Introduction& introduction) {
  const Greeting& greeting = introduction.greeting;
  json::object object{{"node", greeting.node},
                      {"address", greeting.address},
                      {"group", greeting.group},
                      {"formed", greeting.formed},
                      {"founders", greeting.founders},
                      {"version", greeting.version},
                      {"instance", introduction.instance},
                      {"wanted", introduction.wanted}};
  if (introduction.refusal) object["refusal"] = to_json(*introduction.refusal);
  return json::serialize(object);
}

Result<Introduction> decode_introduction(std::string_view text) try {
  const json::value value = json::parse(text);
  Introduction introduction;
  Greeting& greeting = introduction.greeting;
  greeting.node = value.at("node").to_number<NodeId>();
  greeting.address = json::value_to<std::string>(value.at("address"));
  greeting.group = json::value_to<std::string>(value.at("group"));
  greeting.formed = value.at("formed").as_bool();
  greeting.founders = json::value_to<std::string>(value.at("founders"));
  greeting.version = value.at("version").to_number<std::uint64_t>();
  introduction.instance = json::value_to<std::string>(value.at("instance"));
  introduction.wanted = value.at("wanted").as_bool();
  if (const auto* refusal = value.as_object().if_contains("refusal")) introduction.refusal = error_from(*refusal);
  return introduction;
} catch (const std::exception&) {
  return not_understood("an introduction");
}

std::string encode(const Error& error) {
  return json::serialize(to_json(error));
}

Result<Error> decode_error(std::string_view text) try {
  return error_from(json::parse(text));
} catch (const std::exception&) {
  return not_understood("a refusal");
}

}  // namespace cc::consensus
